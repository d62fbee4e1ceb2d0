#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include <troupe/base/memory.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/pal/mutex.hpp>
#include <troupe/sync/detail/progress.hpp>

namespace troupe::inline v0_1::detail {

/// A value of a broadcast, without its type: held by the place it is kept in, and by receivers that
/// are just copying it.
class shared_link {
public:
  using destroy_function = void (*)(shared_link&) noexcept;

  explicit shared_link(destroy_function destroy) noexcept : destroy_{destroy} {}
  shared_link(const shared_link&) = delete;
  shared_link& operator=(const shared_link&) = delete;

  void hold() noexcept { holders_.fetch_add(1, std::memory_order_relaxed); }
  static void let_go(shared_link& self) noexcept {
    if (self.holders_.fetch_sub(1, std::memory_order_acq_rel) == 1) self.destroy_(self);
  }
  /// Returns: whether the caller, who holds it, is alone. Requires: it is in no place any more, or
  /// may be taken to be held more than once.
  [[nodiscard]] bool is_held_once() const noexcept {
    return holders_.load(std::memory_order_acquire) == 1;  // <- let_go
  }

  std::size_t to_pass = 0;      ///< Receivers that have not passed it; under the core's lock.
  shared_link* next = nullptr;  ///< In a list of those to be let go of.

protected:
  ~shared_link() = default;

private:
  destroy_function destroy_;
  pal::atomic<std::uint32_t> holders_{1};
};

template <class T>
class shared_value final : public shared_link {
public:
  static shared_value* make(T&& value) {
    static_assert(alignof(T) <= 16, "over-aligned values are not supported");
    void* block = allocate(sizeof(shared_value));
    try {
      return new (block) shared_value{std::move(value)};
    } catch (...) {
      deallocate(block, sizeof(shared_value));
      throw;
    }
  }

  T value;

private:
  explicit shared_value(T&& from) : shared_link{&destroy}, value{std::move(from)} {}

  static void destroy(shared_link& self) noexcept {
    std::destroy_at(&static_cast<shared_value&>(self));
    deallocate(&self, sizeof(shared_value));
  }
};

/// The part of a broadcast that does not depend on the type of its values. The last end destroys
/// it.
///
/// The value at position p lies in place p % capacity, until every receiver that was there when it
/// was sent has passed it, or another one comes to its place. Receivers pass values in order, so
/// what is kept is always a last part of what was sent.
/// Threads: any. Values are made, copied and destroyed outside of the lock.
class broadcast_core {
public:
  static constexpr std::uint32_t max_capacity = 65'535;

  explicit broadcast_core(std::uint32_t capacity) : places_(capacity, nullptr) {}

  void add_sender() noexcept;
  void remove_sender() noexcept;
  /// Returns: the position of the first value it gets.
  [[nodiscard]] std::uint64_t add_receiver() noexcept;
  void remove_receiver(std::uint64_t position) noexcept;

  /// Takes `value` over. Returns: the number of receivers.
  std::size_t send(shared_link& value) noexcept;

  struct found {
    shared_link* value = nullptr;  ///< Held for the caller.
    std::uint64_t missed = 0;      ///< Above zero: these were passed, in place of a value.
    bool is_end = false;
  };
  /// Passes the value at `position`, or those that are not there any more.
  [[nodiscard]] found next(std::uint64_t& position) noexcept;

  [[nodiscard]] progress& sent() noexcept { return sent_; }

private:
  ~broadcast_core() = default;
  void release(pal::lock& guard) noexcept;
  [[nodiscard]] shared_link*& place_of(std::uint64_t position) noexcept {
    return places_[static_cast<std::size_t>(position % places_.size())];
  }
  [[nodiscard]] std::uint64_t oldest() const noexcept {
    std::uint64_t count = sent_.count();
    return count <= places_.size() ? 0 : count - places_.size();
  }

  pal::mutex mutex_;
  std::vector<shared_link*> places_;
  progress sent_;
  std::size_t senders_ = 1;
  std::size_t receivers_ = 0;
};

}  // namespace troupe::inline v0_1::detail
