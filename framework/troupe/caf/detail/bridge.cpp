#include <troupe/caf/detail/bridge.hpp>

#include <stdexcept>

#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>
#include <caf/system_messages.hpp>

namespace troupe::inline v0_1::detail {

void when_caf_actor_ends(const ::caf::actor& of, std::function<void(caf_actor_ended)> tell,
                         std::function<void()> kill) {
  of->attach_functor([tell = std::move(tell), kill = std::move(kill)](const ::caf::error& why) {
    if (why == ::caf::exit_reason::kill) return kill();
    std::exception_ptr failure;
    if (why && why != ::caf::exit_reason::user_shutdown && why != ::caf::exit_reason::unreachable) {
      failure =
          std::make_exception_ptr(std::runtime_error{"the CAF actor has ended: " + to_string(why)});
    }
    tell({std::move(failure)});
  });
}

caf_bridge::~caf_bridge() {
  ::caf::actor_control_block* to = hold_->get();
  if (to == nullptr || current_actor() == nullptr) return;  // With one of the two systems.
  exit_kind how = self().ending();
  if (how != exit_kind::stopped && how != exit_kind::killed) return;
  ::caf::exit_reason why =
      how == exit_kind::killed ? ::caf::exit_reason::kill : ::caf::exit_reason::user_shutdown;
  to->get()->enqueue(
      ::caf::make_mailbox_element(nullptr, ::caf::make_message_id(::caf::message_priority::high),
                                  {}, ::caf::exit_msg{to->address(), why}),
      nullptr);
}

}  // namespace troupe::inline v0_1::detail
