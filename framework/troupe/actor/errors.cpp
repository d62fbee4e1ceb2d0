#include <troupe/actor/errors.hpp>

#include <string>

namespace troupe::inline v0_1 {

namespace {

class ask_errors final : public boost::system::error_category {
public:
  const char* name() const noexcept override { return "troupe.ask"; }

  std::string message(int code) const override {
    switch (static_cast<ask_errc>(code)) {
      case ask_errc::mailbox_full:
        return "the receiver's mailbox is full (not run)";
      case ask_errc::receiver_gone:
        return "the receiver has ended (not run)";
      case ask_errc::rejected:
        return "the receiver handed the request back (not run)";
      case ask_errc::expired:
        return "the deadline passed before the receiver came to it (not run)";
      case ask_errc::deadlock:
        return "the wait would close a cycle of actors that wait for each other (not run)";
      case ask_errc::no_route:
        return "nobody is known under this address (not run)";
      case ask_errc::canceled_unrun:
        return "canceled before the receiver came to it (not run)";
      case ask_errc::timeout:
        return "no answer before the deadline (may have run)";
      case ask_errc::receiver_failed:
        return "the receiver ended while it ran the request (may have run)";
      case ask_errc::node_down:
        return "the link to the receiver's node was lost (may have run)";
      case ask_errc::canceled:
        return "canceled while the receiver ran it (may have run)";
      case ask_errc::broken_reply:
        return "the receiver dropped its reply handle without an answer (may have run)";
    }
    return "unknown request error " + std::to_string(code);
  }
};

}  // namespace

const boost::system::error_category& ask_category() noexcept {
  static const ask_errors category;
  return category;
}

bool may_have_run(boost::system::error_code code) noexcept {
  return code.category() == ask_category() && code.value() >= static_cast<int>(ask_errc::timeout);
}

}  // namespace troupe::inline v0_1
