#pragma once

#include <mutex>
#include <optional>
#include <source_location>

#include <model/kept_mutexes.hpp>
#include <model/relacy.hpp>
#include <model/sites.hpp>

#include <troupe/version.hpp>

/// Stands in for the header of the same name: Relacy's mutex, from its first use to the end of the
/// schedule; a static one begins anew in the next. A try_lock() may fail for no reason.
namespace troupe::inline v0_1::pal {

class mutex {
public:
  mutex() = default;
  mutex(const mutex&) = delete;
  mutex& operator=(const mutex&) = delete;

  void lock() { inner_.get().lock(here()); }
  bool try_lock() { return inner_.get().try_lock(here()); }
  void unlock() { inner_.get().unlock(here()); }

private:
  static rl::debug_info here() { return model::info_of(std::source_location::current()); }

  model::kept_mutex inner_;
};

using lock = std::unique_lock<mutex>;

}  // namespace troupe::inline v0_1::pal
