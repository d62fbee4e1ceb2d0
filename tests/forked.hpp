#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <system_error>

namespace troupe::test {

/// How a process ended.
struct process_end {
  int code = -1;       ///< Its exit code; 128 and the signal's number when a signal ended it.
  std::string errors;  ///< What it wrote to stderr.
};

/// Runs `body()`, which returns an exit code, in a process of its own and waits for its end.
/// Requires: no other thread runs.
template <class Body>
process_end run_forked(Body body) {
  int ends[2];
  if (::pipe(ends) != 0) throw std::system_error{errno, std::generic_category(), "pipe"};
  std::fflush(nullptr);
  pid_t child = ::fork();
  if (child < 0) throw std::system_error{errno, std::generic_category(), "fork"};
  if (child == 0) {
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[0]);
    ::close(ends[1]);
    int code = body();
    std::fflush(nullptr);
    std::_Exit(code);
  }
  ::close(ends[1]);
  process_end seen;
  char buffer[4096];
  for (ssize_t got = 0; (got = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
    seen.errors.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  seen.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return seen;
}

}  // namespace troupe::test
