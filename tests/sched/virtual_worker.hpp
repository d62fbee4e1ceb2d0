#pragma once

#include <troupe/runtime/runtime.hpp>

namespace troupe::test {

/// One worker without a network, on a clock that jumps to the next timer when nothing can run.
struct virtual_worker {
  pal::virtual_clock clock;
  runtime rt{config()};

private:
  runtime_config config() {
    runtime_config one;
    one.workers = 1;
    one.clock = &clock;
    one.network = false;
    return one;
  }
};

}  // namespace troupe::test
