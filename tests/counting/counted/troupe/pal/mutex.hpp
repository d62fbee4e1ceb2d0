#pragma once

#include <mutex>
#include <source_location>

#include <troupe/pal/atomic.hpp>

/// Stands in for the header of the same name: a mutex that notes a locked operation for each lock,
/// each try and each unlock. Who holds it cannot be told through unique_lock: its own line is
/// noted.
namespace troupe::inline v0_1::pal {

class mutex {
public:
  void lock() {
    test::note_locked(std::source_location::current());
    inner_.lock();
  }
  bool try_lock() {
    test::note_locked(std::source_location::current());
    return inner_.try_lock();
  }
  void unlock() {
    test::note_locked(std::source_location::current());
    inner_.unlock();
  }

private:
  std::mutex inner_;
};

using lock = std::unique_lock<mutex>;

}  // namespace troupe::inline v0_1::pal
