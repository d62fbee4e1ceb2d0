#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include <troupe/version.hpp>

namespace troupe::inline v0_1::actors {

// How a pool chooses the worker for a message. A router is called under the pool's lock; `workers`
// is a range of pointers whose targets have has_ended() and outstanding(). What has ended, and is
// replaced in a moment, is passed over by those that may choose.

/// One after the other.
class round_robin {
public:
  static constexpr bool may_choose = true;

  template <class Workers, class M>
  std::size_t pick(const Workers& workers, const M&) noexcept {
    for (std::size_t tries = 1;; ++tries) {
      if (next_ >= workers.size()) next_ = 0;
      std::size_t found = next_++;
      if (tries == workers.size() || !workers[found]->has_ended()) return found;
    }
  }
  void resized(std::size_t) noexcept {}

private:
  std::size_t next_ = 0;
};

/// The one with the fewest requests of this pool that are not answered yet; among equals one after
/// the other. A message that is sent counts while it waits for room.
class least_loaded {
public:
  static constexpr bool may_choose = true;

  template <class Workers, class M>
  std::size_t pick(const Workers& workers, const M&) noexcept {
    if (first_ >= workers.size()) first_ = 0;
    std::size_t best = first_;
    for (std::size_t i = 1; i < workers.size(); ++i) {
      std::size_t other = (first_ + i) % workers.size();
      if (load_of(*workers[other]) < load_of(*workers[best])) best = other;
    }
    first_ = best + 1;
    return best;
  }
  void resized(std::size_t) noexcept {}

private:
  template <class Worker>
  static std::uint32_t load_of(const Worker& of) noexcept {
    return of.has_ended() ? UINT32_MAX : of.outstanding();
  }

  std::size_t first_ = 0;
};

/// Points on a circle of numbers, many for each worker: a number belongs to the next point. With
/// one worker more or less only the numbers of that worker move.
/// Source: Karger et al., Consistent Hashing and Random Trees (1997).
class hash_ring {
public:
  static constexpr std::size_t points_each = 128;

  void resize(std::size_t workers);
  /// Returns: the worker of `number`, whose bits may be of any quality. Requires: resize() first.
  [[nodiscard]] std::size_t worker_of(std::uint64_t number) const noexcept;

private:
  std::vector<std::pair<std::uint64_t, std::uint32_t>> points_;  // In order.
};

/// The same worker for the same key, `Key{}(message)`, which std::hash takes. On a change of the
/// size from n to m workers about |m - n| of max(n, m) keys move. Bounds: 2 KiB per worker.
/// Example:
///     struct by_account {
///       std::uint64_t operator()(const auto& m) const { return m.account; }
///     };
///     auto books = actors::spawn_pool<book, actors::consistent_hash<by_account>>(8);
template <class Key>
class consistent_hash {
public:
  static constexpr bool may_choose = false;

  template <class Workers, class M>
  std::size_t pick(const Workers&, const M& message) const {
    auto key = Key{}(message);
    return ring_.worker_of(std::hash<decltype(key)>{}(key));
  }
  void resized(std::size_t workers) { ring_.resize(workers); }

private:
  hash_ring ring_;
};

}  // namespace troupe::inline v0_1::actors
