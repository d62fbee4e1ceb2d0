#include <troupe/actor/reply.hpp>

#include <exception>
#include <new>
#include <utility>

#include <troupe/actor/detail/actor_block.hpp>
#include <troupe/actor/detail/current.hpp>

namespace troupe::inline v0_1::detail {

void fail_dropped(request_base& unanswered) noexcept {
  actor_block* here = current_actor();
  if (here != nullptr && here->leave_to_handler(unanswered)) return;
  bool unwinds = std::uncaught_exceptions() > 0;
  unanswered.set_error(unwinds ? ask_errc::receiver_failed : ask_errc::broken_reply);
  unanswered.answer();
}

// What unwinds cannot be asked what it is: the end of the handler knows. Nor is it known yet
// whether it will leave the handler.
bool actor_block::leave_to_handler(request_base& unanswered) noexcept {
  task_core* here = current_context()->current;
  bool is_handler = here == nullptr || here == handler_.load(std::memory_order_relaxed);
  if (!is_handler || current_ == nullptr) return false;
  bool has_failed = here != nullptr && here->any_exception() != nullptr;  // Its frame goes.
  if (std::uncaught_exceptions() == 0 && !has_failed) return false;
  try {
    extension().unanswered.push_back(&unanswered);
  } catch (const std::bad_alloc&) {
    return false;
  }
  owes_replies_ = true;
  return true;
}

void actor_block::fail_unanswered(handler_failure failure) noexcept {
  owes_replies_ = false;
  for (request_base* each : std::exchange(extension_if_any()->unanswered, {})) {
    if (failure != nullptr) {
      each->fail(*failure);
    } else {
      each->set_error(ask_errc::broken_reply);
    }
    each->answer();
  }
}

}  // namespace troupe::inline v0_1::detail
