#include <troupe/caf/detail/proxy.hpp>

#include <set>
#include <string>

#include <caf/actor_system.hpp>
#include <caf/atom.hpp>
#include <caf/exit_reason.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>
#include <caf/sec.hpp>
#include <caf/system_messages.hpp>

namespace troupe::inline v0_1::detail {

namespace {

::caf::error reason_of(const exit_reason& why) {
  switch (why.kind) {
    case exit_kind::failed:
      return ::caf::make_error(::caf::sec::runtime_error, to_string(why));
    case exit_kind::killed:
      return ::caf::exit_reason::kill;
    case exit_kind::abandoned:
      return ::caf::exit_reason::user_shutdown;
    case exit_kind::unknown:
      return ::caf::exit_reason::unknown;
    default:
      return {};  // A normal end.
  }
}

}  // namespace

caf_proxy::caf_proxy(::caf::actor_config& config, std::shared_ptr<caf_neighbours> among)
    : monitorable_actor{config}, among_{std::move(among)} {}

void caf_proxy::enqueue(::caf::mailbox_element_ptr given, ::caf::execution_unit*) {
  if (getf(is_terminated_flag) || getf(is_cleaned_up_flag)) return bounce(given);
  if (!hear_system_message(*given)) deliver(*given);
}

bool caf_proxy::hear_system_message(::caf::mailbox_element& given) {
  auto& content = given.content();
  if (content.match_elements<::caf::exit_msg>()) {
    // As for an actor of CAF that does not trap exits: a partner's normal end changes nothing.
    const ::caf::error& why = content.get_as<::caf::exit_msg>(0).reason;
    if (why) end_actor(why == ::caf::exit_reason::kill);
    return true;
  }
  if (content.match_elements<::caf::down_msg>()) return true;
  if (content.match_elements<::caf::sys_atom, ::caf::get_atom, std::string>()) {
    answer(given, ::caf::make_message(::caf::ok_atom::value, content.get_as<std::string>(2),
                                      itself(), std::string{name()}));
    return true;
  }
  return false;
}

void caf_proxy::reject(::caf::mailbox_element& given) {
  if (given.mid.is_request()) {
    answer(given, ::caf::make_message(::caf::make_error(::caf::sec::unexpected_message)));
  } else {
    std::string types = types_of(given.content());
    report_undelivered({types, ask_errc::rejected});
  }
}

void caf_proxy::answer(::caf::mailbox_element& given, ::caf::message&& content) {
  if (given.mid.is_request()) caf_return_path{given, itself()}.answer(std::move(content));
}

std::unique_ptr<caf_pending> caf_proxy::wait_for_answer(::caf::mailbox_element& given) {
  return std::make_unique<caf_pending>(among_, caf_return_path{given, itself()});
}

void caf_proxy::hook::told(end_hook& self, const exit_reason& why) noexcept {
  caf_proxy& proxy = static_cast<hook&>(self).proxy;
  if (!::caf::intrusive_ptr_upgrade_weak(proxy.ctrl())) return;  // It is being destroyed.
  proxy.why_ = why;
  proxy.home_system().scheduler().enqueue(&proxy);  // With that reference.
}

::caf::resumable::resume_result caf_proxy::resume(::caf::execution_unit* host, std::size_t) {
  cleanup(reason_of(why_), host);
  return done;
}

void caf_proxy::end_with_system() {
  hook_.unset();
  cleanup(::caf::exit_reason::user_shutdown, nullptr);
}

void caf_proxy::on_destroy() {
  hook_.unset();
  among_->forget(*this);
  if (!getf(is_cleaned_up_flag)) cleanup(::caf::exit_reason::unreachable, nullptr);
  monitorable_actor::on_destroy();
}

}  // namespace troupe::inline v0_1::detail
