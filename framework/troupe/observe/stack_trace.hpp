#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <troupe/pal/thread.hpp>

namespace troupe::inline v0_1 {

/// One call on a stack.
struct stack_frame {
  std::string function;  ///< Empty when it is not known.
  std::string file;      ///< Empty without debug information.
  int line = 0;
};

/// Looks at the stack of a thread that runs: a signal, SIGURG, lets the thread itself do that. A
/// system call that it is in is interrupted, and mostly begun again.
///
/// Made once, its action for SIGURG stays for the rest of the process, and what was there before
/// gets all signals that are not for it.
/// Errors:  none: without an answer within 50 ms, or without debug information, there is less to
///          tell.
/// Threads: one look at a time in the process; others find nothing meanwhile.
class stack_looker {
public:
  stack_looker();

  /// Returns: the calls, the innermost first, at most 64; none when it could not be looked at.
  /// Requires: the thread lives.
  [[nodiscard]] std::vector<stack_frame> look(pal::thread_id at) const;
};

}  // namespace troupe::inline v0_1
