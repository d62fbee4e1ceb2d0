#pragma once

#include <memory>
#include <utility>

#include <caf/all.hpp>

#include <troupe/caf/system.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sync/oneshot.hpp>

namespace troupe::test {

/// A runtime, and the configuration of a CAF system that outlives it.
struct some_workers {
  ::caf::actor_system_config config;
  runtime rt;

  explicit some_workers(std::size_t workers) : rt{with(workers)} {}
  static runtime_config with(std::size_t workers) {
    runtime_config config;
    config.workers = workers;
    return config;
  }
};
struct one_worker : some_workers {
  one_worker() : some_workers{1} {}
};
struct two_of_them : some_workers {
  two_of_them() : some_workers{2} {}
};

/// An answer that a CAF actor gives to a task: the sender can be copied, as CAF wants it.
template <class T>
auto answers() {
  auto [tx, rx] = oneshot<T>();
  return std::pair{std::make_shared<oneshot_sender<T>>(std::move(tx)), std::move(rx)};
}

}  // namespace troupe::test
