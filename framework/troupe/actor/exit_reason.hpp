#pragma once

#include <exception>
#include <string>
#include <string_view>

#include <troupe/version.hpp>

namespace troupe::inline v0_1 {

/// How an actor has ended, or one incarnation of it.
enum class exit_kind : unsigned char {
  stopped,      ///< It was asked to stop, or did so itself.
  unreachable,  ///< Nobody could address it any more, and its mail was done.
  restarted,    ///< Its supervisor wanted it anew, since a sibling had failed.
  failed,       ///< An exception left one of its handlers, side tasks, or its constructor.
  killed,       ///< It was killed.
  abandoned,    ///< Its runtime ended first.
  unknown,      ///< It had ended before anybody asked.
};

/// Returns: the kind as one phrase.
[[nodiscard]] std::string_view to_string(exit_kind kind) noexcept;

/// Why an actor has ended.
struct exit_reason {
  exit_kind kind = exit_kind::unknown;
  std::exception_ptr error{};  ///< Of `failed`.

  /// Returns: false when something went wrong: it failed or was killed.
  [[nodiscard]] bool is_normal() const noexcept {
    return kind != exit_kind::failed && kind != exit_kind::killed;
  }
};

/// Returns: the reason as one phrase, with the exception's own words.
[[nodiscard]] std::string to_string(const exit_reason& reason);

}  // namespace troupe::inline v0_1
