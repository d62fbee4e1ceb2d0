#include <troupe/actor/ask.hpp>

namespace troupe::detail {

bool mailbox_wait::try_push(envelope& message, ask_errc& error) noexcept {
  use_wake();
  switch (owner_->push(message)) {
    case message_queue::pushed::sent:
    case message_queue::pushed::sent_to_idle:
      return true;
    case message_queue::pushed::closed:
      error = ask_errc::receiver_gone;
      return true;
    case message_queue::pushed::full:
      break;
  }
  // Nobody makes room while an actor waits for itself.
  bool waits_for_itself = current_actor() == owner_;
  if (!waits_for_itself && owner_->when_full() == overflow::wait) return false;
  error = ask_errc::mailbox_full;
  return true;
}

}  // namespace troupe::detail
