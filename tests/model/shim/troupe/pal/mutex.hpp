#pragma once

#include <mutex>
#include <source_location>

#include <model/relacy.hpp>
#include <model/sites.hpp>

#include <troupe/version.hpp>

/// Stands in for the header of the same name: Relacy's mutex. A try_lock() may fail for no reason.
namespace troupe::inline v0_1::pal {

class mutex {
public:
  void lock() { inner_.lock(model::info_of(std::source_location::current())); }
  bool try_lock() { return inner_.try_lock(model::info_of(std::source_location::current())); }
  void unlock() { inner_.unlock(model::info_of(std::source_location::current())); }

private:
  rl::mutex inner_;
};

using lock = std::unique_lock<mutex>;

}  // namespace troupe::inline v0_1::pal
