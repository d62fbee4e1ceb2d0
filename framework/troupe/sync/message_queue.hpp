#pragma once

#include <cstdint>

#include <troupe/pal/atomic.hpp>

namespace troupe::inline v0_1::detail {

/// Base of every message that waits in a queue.
struct alignas(16) message_link {
  message_link* next = nullptr;
};

/// Many senders, one receiver: a chain of messages and all that is decided about it, in one word,
/// so that one CAS settles room, closing, order, and who wakes the receiver.
///
///   word_ = {address of the newest message | tags, count in the upper 16 bits}
///
///   address   newest of a chain of sent messages    push -> message; take_all -> 0
///   count     messages sent or reserved whose       push, reserve +1; take_all, try_idle,
///             room has not been given back          give_back: minus what was begun
///   idle      the receiver sleeps                   try_idle, sleep_again set; push, poke, wake,
///                                                   leave_idle clear
///   closed    no more room is given                 close sets; stays
///   wanted    senders wait for room in the parking  want_room sets; room_is_wanted_no_more
///             lot, at the address of this object    clears, under their bucket's lock
///   poked     the receiver has to look up, mail or  poke sets; take_poke clears
///             not
///
///   R1. take_all, try_idle, sleep_again, leave_idle are the receiver's; all else is anyone's.
///   R2. Messages leave all at once; none can come back under a sender (no ABA).
///   R3. Who clears `idle` wakes the receiver, or does its work: one push, poke or wake per sleep.
///   R4. Who lowers the count while `wanted` is set wakes as many senders.
///   R5. A sender parks only after it has set `wanted` on a word without room (see parking_lot R1).
///   R6. While `poked` is set the receiver does not go to sleep.
///   R7. While `idle` is set the address is not that of a message, but a mark: null, or what the
///       receiver has left in the word when it went to sleep. Who clears `idle` takes it out, and
///       is told of it.
/// Unbounded queues never count. Addresses have 48 bits, and 4 free ones below.
class message_queue {
public:
  enum class pushed : unsigned char { sent, sent_to_idle, full, closed };

  static constexpr std::uint32_t max_capacity = 65535;

  /// Sends `message`. `capacity` 0 means unbounded. After sent_to_idle the caller must wake the
  /// receiver (R3). Threads: any.
  [[nodiscard]] pushed push(message_link& message, std::uint32_t capacity) noexcept {
    void* no_mark = nullptr;
    return push(message, capacity, no_mark);
  }
  /// The same to a receiver that leaves marks: sets `mark` when it returns sent_to_idle. R7
  [[nodiscard]] pushed push(message_link& message, std::uint32_t capacity, void*& mark) noexcept {
    std::uint64_t seen = word_.load(std::memory_order_relaxed);
    for (;;) {
      if ((seen & closed) != 0) return pushed::closed;
      if (capacity != 0 && count_of(seen) >= capacity) return pushed::full;
      if (link(message, seen, capacity != 0 ? one : 0)) {
        if ((seen & idle) == 0) return pushed::sent;
        mark = mark_of(seen);
        return pushed::sent_to_idle;
      }
    }
  }

  /// Sends a message whose room was reserved; also into a queue that was closed since.
  [[nodiscard]] pushed push_reserved(message_link& message) noexcept {
    std::uint64_t seen = word_.load(std::memory_order_relaxed);
    while (!link(message, seen, 0)) {
    }
    return sent_or_idle(seen);
  }

  /// Takes room for one message. Returns: sent, full or closed. Requires: a bounded queue.
  [[nodiscard]] pushed reserve(std::uint32_t capacity) noexcept {
    std::uint64_t seen = word_.load(std::memory_order_relaxed);
    for (;;) {
      if ((seen & closed) != 0) return pushed::closed;
      if (count_of(seen) >= capacity) return pushed::full;
      if (word_.compare_exchange_weak(seen, seen + one, std::memory_order_relaxed)) {
        return pushed::sent;
      }
    }
  }

  /// Says that a sender will wait for room. Returns false when there is room, or it is closed. R5
  [[nodiscard]] bool want_room(std::uint32_t capacity) noexcept {
    std::uint64_t seen = word_.load(std::memory_order_relaxed);
    for (;;) {
      if ((seen & closed) != 0 || count_of(seen) < capacity) return false;
      if (word_.compare_exchange_weak(seen, seen | wanted, std::memory_order_relaxed)) return true;
    }
  }
  void room_is_wanted_no_more() noexcept { word_.fetch_and(~wanted, std::memory_order_relaxed); }

  /// Gives room back. Returns whether senders wait (R4), and whether a receiver that sleeps has now
  /// reached the end of a closed queue and must be woken.
  struct given {
    bool wanted;
    bool at_end;
  };
  given give_back(std::uint32_t rooms) noexcept {
    std::uint64_t before = word_.fetch_sub(rooms * one, std::memory_order_acq_rel);  // <- try_idle,
                                                                                     // -> at_end
    bool ended = (before & (idle | closed)) == (idle | closed) && count_of(before) == rooms &&
                 address_of(before) == nullptr;
    return {(before & wanted) != 0, ended};
  }

  /// Takes all messages, oldest first, and gives `rooms` back with the same step. R1
  [[nodiscard]] message_link* take_all(std::uint32_t rooms, bool& senders_wait) noexcept {
    std::uint64_t seen = word_.load(std::memory_order_relaxed);
    for (;;) {
      if (address_of(seen) == nullptr) return nullptr;
      std::uint64_t rest = (seen & ~address_mask) - rooms * one;
      if (word_.compare_exchange_weak(seen, rest, std::memory_order_acquire,  // <- push
                                      std::memory_order_relaxed)) {
        senders_wait = rooms > 0 && (seen & wanted) != 0;
        return reversed(address_of(seen));
      }
    }
  }

  /// Goes to sleep, giving `rooms` back. Returns false when a message has come or the end has: the
  /// receiver must look again. The receiver's waker must be in place. R1
  [[nodiscard]] bool try_idle(std::uint32_t rooms, bool& senders_wait) noexcept {
    std::uint64_t seen = word_.load(std::memory_order_relaxed);
    for (;;) {
      if (address_of(seen) != nullptr || (seen & poked) != 0) return false;  // R6
      if ((seen & closed) != 0 && count_of(seen) == rooms) return false;
      std::uint64_t asleep = (seen | idle) - rooms * one;
      if (word_.compare_exchange_weak(seen, asleep, std::memory_order_release,  // -> push, close
                                      std::memory_order_relaxed)) {
        senders_wait = rooms > 0 && (seen & wanted) != 0;
        return true;
      }
    }
  }

  /// Returns: the only message there is, still in the queue; null when there is none, or more. R1
  [[nodiscard]] message_link* lone() const noexcept {
    message_link* newest = address_of(word_.load(std::memory_order_acquire));  // <- push
    return newest != nullptr && newest->next == nullptr ? newest : nullptr;
  }

  /// Takes that message out and goes to sleep, with one step, giving `rooms` back. Returns false
  /// when more has come, and nothing was done. R1
  [[nodiscard]] bool try_idle_after(message_link& lone, std::uint32_t rooms,
                                    bool& senders_wait) noexcept {
    std::uint64_t seen = word_.load(std::memory_order_relaxed);
    for (;;) {
      if (address_of(seen) != &lone || (seen & (poked | closed)) != 0) return false;  // R6
      std::uint64_t asleep = ((seen & ~address_mask) | idle) - rooms * one;
      if (word_.compare_exchange_weak(seen, asleep, std::memory_order_release,  // -> push, close
                                      std::memory_order_relaxed)) {
        senders_wait = rooms > 0 && (seen & wanted) != 0;
        return true;
      }
    }
  }

  /// Makes the receiver look up. Returns: true when it slept, and the caller must wake it (R3);
  /// then `mark` is set (R7). Threads: any.
  [[nodiscard]] bool poke(void*& mark) noexcept {
    std::uint64_t seen = word_.load(std::memory_order_relaxed);
    while (!word_.compare_exchange_weak(seen, awake_of(seen) | poked,
                                        std::memory_order_acq_rel,  // -> take_poke, <- try_idle
                                        std::memory_order_relaxed)) {
    }
    mark = mark_of(seen);
    return (seen & idle) != 0;
  }

  /// Wakes a receiver that sleeps, for the caller to do its work (R3), and keeps in `awake` what
  /// sleep_again() asks for, in `mark` what was left (R7). Returns: false when it does not sleep,
  /// or has closed, or just then something else was done. Threads: any.
  [[nodiscard]] bool wake(std::uint64_t& awake, void*& mark) noexcept {
    std::uint64_t seen = word_.load(std::memory_order_relaxed);
    awake = awake_of(seen);
    mark = mark_of(seen);
    return (seen & (idle | closed)) == idle &&
           word_.compare_exchange_strong(seen, awake, std::memory_order_acquire,  // <- try_idle
                                         std::memory_order_relaxed);
  }

  /// Goes back to sleep after wake(), and leaves `mark`, unless anything about the queue has
  /// changed: then the receiver must look again. R1, R7
  [[nodiscard]] bool sleep_again(std::uint64_t awake, void* mark) noexcept {
    return word_.compare_exchange_strong(awake,
                                         awake | idle | reinterpret_cast<std::uintptr_t>(mark),
                                         std::memory_order_release,  // -> push, close
                                         std::memory_order_relaxed);
  }

  /// Returns: whether the receiver sleeps and has left that `mark`, and has not closed. For who has
  /// left it: what it sees is then its own doing, and nothing to be ordered with.
  [[nodiscard]] bool sleeps_with(const void* mark) const noexcept {
    std::uint64_t seen = word_.load(std::memory_order_relaxed);
    std::uint64_t wanted_bits = idle | reinterpret_cast<std::uintptr_t>(mark);
    return (seen & (address_mask | idle | closed)) == wanted_bits;
  }

  /// Returns: whether it was poked since this was asked last. R1
  [[nodiscard]] bool take_poke() noexcept {
    if ((word_.load(std::memory_order_relaxed) & poked) == 0) return false;
    word_.fetch_and(~poked, std::memory_order_acquire);  // <- poke
    return true;
  }

  /// The receiver is awake again, whatever woke it. Returns: whether this has done it. R1
  bool leave_idle() noexcept {
    std::uint64_t seen = word_.load(std::memory_order_relaxed);
    while ((seen & idle) != 0) {
      if (word_.compare_exchange_weak(seen, awake_of(seen), std::memory_order_relaxed)) return true;
    }
    return false;
  }

  /// Makes it as new. Requires: nobody sends, nobody receives; a late poke may come.
  void reset() noexcept { word_.store(0, std::memory_order_relaxed); }
  /// The same for a receiver that begins asleep: it has to be whole by now.
  void reset_asleep() noexcept { word_.store(idle, std::memory_order_release); }  // -> poke
  /// The same for one that has ended.
  void reset_closed() noexcept { word_.store(closed, std::memory_order_relaxed); }

  /// Returns: true when nothing is sent, and nobody waits for room. R1
  [[nodiscard]] bool has_none() const noexcept {
    std::uint64_t seen = word_.load(std::memory_order_relaxed);
    return address_of(seen) == nullptr && (seen & wanted) == 0;
  }

  /// Refuses new messages. Returns what has to be woken: the receiver, and all waiting senders.
  struct closing {
    bool receiver_sleeps;
    bool senders_wait;
  };
  closing close() noexcept {
    std::uint64_t before = word_.fetch_or(closed, std::memory_order_acq_rel);  // <- try_idle,
                                                                               // -> at_end
    return {(before & idle) != 0, (before & wanted) != 0};
  }

  /// Returns: true when the queue is closed, and nothing is sent or reserved beyond `rooms`.
  [[nodiscard]] bool at_end(std::uint32_t rooms) const noexcept {
    std::uint64_t seen = word_.load(std::memory_order_acquire);  // <- close, give_back
    return (seen & closed) != 0 && address_of(seen) == nullptr && count_of(seen) == rooms;
  }

  [[nodiscard]] bool is_closed() const noexcept {
    return (word_.load(std::memory_order_relaxed) & closed) != 0;
  }
  [[nodiscard]] bool has_room(std::uint32_t capacity) const noexcept {
    return capacity == 0 || count_of(word_.load(std::memory_order_relaxed)) < capacity;
  }
  /// A moment's truth; 0 for an unbounded queue.
  [[nodiscard]] std::uint32_t count() const noexcept {
    return count_of(word_.load(std::memory_order_relaxed));
  }

private:
  template <class>
  friend struct debug_access;

  static constexpr std::uint64_t idle = 1, closed = 2, wanted = 4, poked = 8;
  static constexpr unsigned count_shift = 48;
  static constexpr std::uint64_t one = std::uint64_t{1} << count_shift;
  static constexpr std::uint64_t address_mask = (one - 1) & ~std::uint64_t{15};

  static std::uint32_t count_of(std::uint64_t word) noexcept {
    return static_cast<std::uint32_t>(word >> count_shift);
  }
  static message_link* address_of(std::uint64_t word) noexcept {
    return reinterpret_cast<message_link*>(word & address_mask);
  }
  static void* mark_of(std::uint64_t word) noexcept {
    return (word & idle) == 0 ? nullptr : reinterpret_cast<void*>(word & address_mask);
  }
  static std::uint64_t awake_of(std::uint64_t word) noexcept {
    return (word & idle) == 0 ? word : word & ~(idle | address_mask);
  }
  static pushed sent_or_idle(std::uint64_t before) noexcept {
    return (before & idle) != 0 ? pushed::sent_to_idle : pushed::sent;
  }

  bool link(message_link& message, std::uint64_t& seen, std::uint64_t added) noexcept {
    message.next = address_of(seen);
    if ((seen & idle) != 0) [[unlikely]]
      message.next = nullptr;  // R7
    std::uint64_t linked =
        ((seen & ~(address_mask | idle)) + added) | reinterpret_cast<std::uintptr_t>(&message);
    return word_.compare_exchange_weak(seen, linked, std::memory_order_acq_rel,  // -> take_all,
                                       std::memory_order_relaxed);               // <- try_idle
  }

  static message_link* reversed(message_link* newest) noexcept {
    message_link* oldest = nullptr;
    while (newest != nullptr) {
      message_link* older = newest->next;
      newest->next = oldest;
      oldest = newest;
      newest = older;
    }
    return oldest;
  }

  pal::atomic<std::uint64_t> word_{0};
};

}  // namespace troupe::inline v0_1::detail
