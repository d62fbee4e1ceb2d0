#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include <troupe/pal/atomic.hpp>
#include <troupe/pal/clock.hpp>
#include <troupe/task/waker.hpp>

namespace troupe::inline v0_1::net::detail {

class watched_fd;

/// Whether one direction of a descriptor is ready, and who waits for it.
///
///   word_     means                                        changed by
///   waker     a task waits                                 enlist sets; delist, fire, close clear
///   ready     worth a try                                  fire, put_back set; take_ready clears
///   ended     the peer has ended or the connection broke:  fire sets; stays
///             every try ends at once
///   closed    nobody may wait any more                     close sets; stays
///
///   R1. Only the turn of the task that uses the direction enlists, delists, takes and puts back.
///   R2. `ready` is taken before a try, never after it: an edge that comes during the try sets it
///       again, and the enlist() that follows sees it.
///   R3. A try that moved all it could, and may find more, puts `ready` back: no edge will come for
///       what is there already.
///   R4. Only the waker is handed over in order: who wakes reads a task's cell, which yet another
///       thread may have made. All else is relaxed. The word says all there is to say; what a task
///       then finds on the descriptor is ordered by the kernel, and its waking by the task's own
///       wake word.
class wait_slot {
public:
  /// Returns: true when a try is worth its system call. R2
  [[nodiscard]] bool take_ready() noexcept {
    std::uint64_t seen = word_.load(std::memory_order_relaxed);
    if ((seen & (ended | closed)) != 0) return true;
    if ((seen & ready) == 0) return false;
    word_.fetch_and(~ready, std::memory_order_relaxed);
    return true;
  }
  /// R3
  void put_back() noexcept { word_.fetch_or(ready, std::memory_order_relaxed); }

  /// Returns: false when a try is worth it now.
  [[nodiscard]] bool enlist(waker key) noexcept {
    std::uint64_t seen = word_.load(std::memory_order_relaxed);
    do {
      if ((seen & (ready | ended | closed)) != 0) return false;
    } while (!word_.compare_exchange_weak(seen, key.bits(), std::memory_order_release,  // -> set
                                          std::memory_order_relaxed));
    return true;
  }
  void delist() noexcept { word_.fetch_and(flags, std::memory_order_relaxed); }

  /// An event has come. Threads: whoever runs the reactor.
  void fire(bool has_ended) noexcept { set(ready | (has_ended ? ended : 0)); }

  /// Lets nobody wait any more. Threads: any.
  void close() noexcept { set(closed); }

  [[nodiscard]] bool is_closed() const noexcept {
    return (word_.load(std::memory_order_relaxed) & closed) != 0;
  }

private:
  static constexpr std::uint64_t ready = 1, ended = 2, closed = 4, flags = 7;

  void set(std::uint64_t bits) noexcept {
    std::uint64_t seen = word_.load(std::memory_order_relaxed);
    if ((seen | bits) == (seen & flags)) return;  // Known already, and nobody waits.
    while (!word_.compare_exchange_weak(seen, (seen & flags) | bits,
                                        std::memory_order_acquire,  // <- enlist, R4
                                        std::memory_order_relaxed)) {
    }
    waker::from_bits(seen & ~flags).wake();
  }

  pal::atomic<std::uint64_t> word_{ready};
};

/// The same where a second task that comes to wait is to be refused: it tells whether one does,
/// from enlist() to delist().
class lone_slot : public wait_slot {
public:
  [[nodiscard]] bool enlist(waker key) noexcept {
    bool waits = wait_slot::enlist(key);
    waited_for_.store(waits, std::memory_order_relaxed);
    return waits;
  }
  void delist() noexcept {
    wait_slot::delist();
    waited_for_.store(false, std::memory_order_relaxed);
  }
  [[nodiscard]] bool is_waited_for() const noexcept {
    return waited_for_.load(std::memory_order_relaxed);
  }

private:
  pal::atomic<bool> waited_for_{false};
};

/// An epoll set whose descriptors are registered once, edge-triggered, for both directions: waiting
/// for one costs no system call of its own.
///
/// Threads: wait() by one at a time, under the scheduler's driver lock; all else by any.
class poller {
public:
  /// Errors: system_error when the system is out of descriptors.
  poller();
  ~poller();
  poller(const poller&) = delete;
  poller& operator=(const poller&) = delete;

  /// Registers a descriptor. Errors: system_error.
  void add(int fd, watched_fd& owner);

  /// Takes it out again: no wait() that begins afterwards brings an event of it. Closing it does
  /// not do: a child process may hold a copy for the moment between fork and exec.
  void remove(int fd) noexcept;

  /// Fires the slots of what has happened; waits for something until `until`, for ever without it.
  /// Returns: how many events there were, interrupts not counted.
  int wait(std::optional<time_point> until) noexcept { return fetch(until, max_events); }
  /// The same for up to `most` of what has happened already.
  int poll(std::size_t most = max_events) noexcept { return fetch(time_point::min(), most); }

  /// Ends the wait() that is under way. If none is, take_interrupt() tells after the next wait().
  void interrupt() noexcept;

  /// Returns: true when interrupts have ended waits since this was asked last.
  /// Threads: as wait().
  [[nodiscard]] bool take_interrupt() noexcept { return std::exchange(interrupted_, false); }

  /// The set itself, which is readable when something has happened.
  [[nodiscard]] int fd() const noexcept { return epoll_fd_; }

private:
  static constexpr std::size_t max_events = 256;

  int fetch(std::optional<time_point> until, std::size_t most) noexcept;

  int epoll_fd_;
  int event_fd_;
  bool interrupted_ = false;
};

}  // namespace troupe::inline v0_1::net::detail
