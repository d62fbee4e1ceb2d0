#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include <model/relacy.hpp>

namespace troupe::model {

/// A mutex of Relacy's that is made when it is used first, and ends with the schedule at the
/// latest: one of a static object would be told as leaked.
class kept_mutex {
public:
  kept_mutex() = default;
  kept_mutex(const kept_mutex&) = delete;
  kept_mutex& operator=(const kept_mutex&) = delete;
  ~kept_mutex() {
    if (!inner_) return;
    std::erase(in_use(), this);
    inner_.reset();
  }

  rl::mutex& get() {
    if (!inner_) {
      inner_.emplace();
      in_use().push_back(this);
    }
    return *inner_;
  }

  /// Called when a schedule has ended, and nothing but static objects is left of it.
  static void end_all() {
    for (kept_mutex* each : in_use()) each->inner_.reset();
    in_use().clear();
  }
  /// Called before the first schedule after one that was broken off, whose objects never ended.
  static void forget_all() { in_use().clear(); }

private:
  using list = std::vector<kept_mutex*, rl::raw_allocator<kept_mutex*>>;
  static list& in_use() {
    static list all;
    return all;
  }

  std::optional<rl::mutex> inner_;
};

}  // namespace troupe::model
