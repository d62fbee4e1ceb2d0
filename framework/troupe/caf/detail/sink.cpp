#include <troupe/caf/detail/sink.hpp>

#include <fmt/format.h>

#include <caf/error.hpp>
#include <caf/exit_reason.hpp>
#include <caf/sec.hpp>

namespace troupe::inline v0_1::detail {

void caf_sink::enqueue(::caf::mailbox_element_ptr given, ::caf::execution_unit* host) {
  if (!given->mid.is_response()) return bounce(given);
  if (has_heard_.exchange(true, std::memory_order_relaxed)) return;
  hear(*given);
  cleanup({}, host);  // Else CAF's registry would keep it, if a node was told of it.
}

void caf_sink::hear(::caf::mailbox_element& given) {
  auto& content = given.content();
  if (content.match_elements<::caf::error>()) {
    caf_failure failure = from_caf_error(content.get_as<::caf::error>(0));
    fail(failure.error, std::move(failure.words));
  } else if (content.match_elements<::caf::sec>()) {  // From CAF's clock.
    caf_failure failure = from_caf_error(::caf::make_error(content.get_as<::caf::sec>(0)));
    fail(failure.error, std::move(failure.words));
  } else if (!take(given)) {
    fail(ask_errc::receiver_failed,
         fmt::format("the CAF actor answered with {}, not with {}", types_of(content), wanted()));
  }
}

void caf_sink::on_destroy() {
  if (!has_heard_.exchange(true, std::memory_order_relaxed)) {
    fail(ask_errc::broken_reply, "the CAF actor dropped the request without an answer");
  }
  if (!getf(is_cleaned_up_flag)) cleanup(::caf::exit_reason::unreachable, nullptr);
  monitorable_actor::on_destroy();
}

}  // namespace troupe::inline v0_1::detail
