#pragma once

#include <troupe/runtime/runtime.hpp>

namespace troupe::test {

/// Two workers, and as many threads for blocking work.
struct two_workers {
  runtime rt{config()};

  static runtime_config config() {
    runtime_config two;
    two.workers = 2;
    two.max_blocking_threads = 2;
    return two;
  }
};

}  // namespace troupe::test
