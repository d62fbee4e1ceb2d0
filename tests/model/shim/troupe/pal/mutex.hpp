#pragma once

#include <array>
#include <cstddef>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <source_location>

#include <model/relacy.hpp>
#include <model/sites.hpp>

#include <troupe/version.hpp>

namespace troupe::model {

/// What stands for mutexes that were made before the model runs, those of the process: one for each
/// that is used, made anew in each schedule.
class process_mutexes {
public:
  rl::mutex& of(const void* mutex) {
    for (std::size_t i = 0; i < count_; ++i) {
      if (made_[i].of == mutex) return *made_[i].inner;
    }
    if (count_ == made_.size()) std::abort();
    entry& fresh = made_[count_++];
    fresh.of = mutex;
    return fresh.inner.emplace();
  }
  void clear() {
    while (count_ > 0) made_[--count_].inner.reset();
  }

private:
  struct entry {
    const void* of = nullptr;
    std::optional<rl::mutex> inner;
  };
  std::array<entry, 16> made_;
  std::size_t count_ = 0;
};

inline process_mutexes mutexes_of_process;

}  // namespace troupe::model

/// Stands in for the header of the same name: Relacy's mutex. A try_lock() may fail for no reason.
namespace troupe::inline v0_1::pal {

class mutex {
public:
  mutex() {
    if (rl::is_ctx() && rl::ctx().threadx_ != nullptr) inner_.emplace();
  }

  void lock() { inner().lock(model::info_of(std::source_location::current())); }
  bool try_lock() { return inner().try_lock(model::info_of(std::source_location::current())); }
  void unlock() { inner().unlock(model::info_of(std::source_location::current())); }

private:
  rl::mutex& inner() { return inner_ ? *inner_ : model::mutexes_of_process.of(this); }

  std::optional<rl::mutex> inner_;
};

using lock = std::unique_lock<mutex>;

}  // namespace troupe::inline v0_1::pal
