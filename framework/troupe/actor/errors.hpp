#pragma once

#include <troupe/base/result.hpp>

namespace troupe::inline v0_1 {

/// Why a request has failed, in two families: what was not run may safely be asked again.
enum class ask_errc {
  // Not run.
  mailbox_full = 1,  ///< No room before the deadline, or the receiver's policy refuses to wait.
  receiver_gone,     ///< The receiver has ended.
  rejected,          ///< The receiver handed it back.
  expired,           ///< Its deadline had passed before the receiver came to it.
  deadlock,          ///< The wait would have closed a cycle of actors that wait for each other.
  no_route,          ///< Nobody is known under this address.
  canceled_unrun,    ///< The caller was stopped, and the receiver had not begun.

  // May have run.
  timeout = 32,     ///< The deadline has passed; the receiver had begun.
  receiver_failed,  ///< The receiver ended while it ran, by an exception or because it was killed.
  node_down,        ///< The link to the receiver's node was lost.
  canceled,         ///< The caller was stopped; the receiver had begun.
  broken_reply,     ///< The receiver dropped its reply handle without an answer.
};

/// The category of ask_errc; its messages are one line each.
const boost::system::error_category& ask_category() noexcept;

inline boost::system::error_code make_error_code(ask_errc code) noexcept {
  return {static_cast<int>(code), ask_category()};
}

/// Returns: whether the handler of a request that failed with `code` may have run; false means that
/// it is safe to ask again.
[[nodiscard]] bool may_have_run(boost::system::error_code code) noexcept;

}  // namespace troupe::inline v0_1

template <>
struct boost::system::is_error_code_enum<troupe::ask_errc> : std::true_type {};
