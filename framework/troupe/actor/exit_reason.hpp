#pragma once

#include <exception>
#include <string>

namespace troupe {

/// Why an incarnation of an actor has ended.
struct exit_reason {
  enum class kind : unsigned char {
    stopped,      ///< stop() was called, by itself or by another.
    unreachable,  ///< Nobody could address it any more, and its mail was done.
    failed,       ///< An exception left its constructor, a handler, on_start or on_stop.
    killed,       ///< kill() was called.
    shut_down,    ///< Its runtime has ended.
  };

  kind why = kind::stopped;
  std::exception_ptr error;  ///< What left the handler; null unless `failed`.
};

/// Returns: one line, such as `failed: division by zero`.
[[nodiscard]] std::string to_string(const exit_reason& reason);

}  // namespace troupe
