#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include <boost/asio/cancellation_signal.hpp>

#include <troupe/base/memory.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/task/waker.hpp>

namespace troupe::inline v0_1::net::detail {

/// What a task and an Asio operation that it waits for share: who still has to come, who is to be
/// woken then, and the memory of the operation.
///
/// It is not part of the coroutine's frame: a frame that is destroyed while the operation is under
/// way, at the end of a runtime, must not take the memory of that operation with it.
///
///   word_      means                                      changed by
///   {n, 0}     n handlers still have to run, 0 to 2       arrive -> n-1; expect_one_more -> n+1
///   {n, w}     the same, and `w` is woken by the last     enlist; delist -> {n, 0}
///
///   R1. The completion handler counts one, a cancellation that was posted another: it uses
///       `signal`, which must not go before.
///   R2. The handler that takes the count to 0 wakes; who reads 0 sees what all handlers wrote.
///   R3. The waker is handed over in order: who wakes has to see the wait that it was made for.
class asio_wait {
public:
  asio_wait() = default;
  asio_wait(const asio_wait&) = delete;
  asio_wait& operator=(const asio_wait&) = delete;

  static void* operator new(std::size_t size_bytes) { return troupe::allocate(size_bytes); }
  static void operator delete(void* block, std::size_t size_bytes) noexcept {
    troupe::deallocate(block, size_bytes);
  }

  // --- the task's turn ---

  [[nodiscard]] bool is_over() const noexcept {
    return (word_.load(std::memory_order_acquire) & count_mask) == 0;  // <- arrive, R2
  }

  /// False: it is over.
  [[nodiscard]] bool enlist(waker key) noexcept {
    std::uint64_t seen = word_.load(std::memory_order_relaxed);
    do {
      if ((seen & count_mask) == 0) return false;
    } while (!word_.compare_exchange_weak(seen, key.bits() | (seen & count_mask),
                                          std::memory_order_release,  // -> arrive, R3
                                          std::memory_order_relaxed));
    return true;
  }
  void delist() noexcept { word_.fetch_and(count_mask, std::memory_order_relaxed); }

  /// Counts a cancellation. False: it is over, there is nothing to cancel.
  [[nodiscard]] bool expect_one_more() noexcept {
    std::uint64_t seen = word_.load(std::memory_order_relaxed);
    do {
      if ((seen & count_mask) == 0) return false;
    } while (!word_.compare_exchange_weak(seen, seen + 1, std::memory_order_relaxed));
    return true;
  }

  // --- handlers, on whatever thread runs them ---

  void arrive() noexcept {
    std::uint64_t before = word_.fetch_sub(1, std::memory_order_acq_rel);  // -> is_over, <- enlist
    if ((before & count_mask) == 1) waker::from_bits(before & ~count_mask).wake();
  }

  boost::asio::cancellation_signal signal;

  // --- the memory of the operation: one block at a time, a larger or a second one elsewhere ---

  [[nodiscard]] void* take_memory(std::size_t size_bytes) {
    if (size_bytes > sizeof memory_ || memory_taken_) return troupe::allocate(size_bytes);
    memory_taken_ = true;
    return memory_;
  }
  void give_memory(void* block, std::size_t size_bytes) noexcept {
    if (block == memory_) {
      memory_taken_ = false;
    } else {
      troupe::deallocate(block, size_bytes);
    }
  }

  // --- life: one reference is the task's, the others those of handlers ---

  void keep() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void drop() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;  // <-> each other
  }

protected:
  virtual ~asio_wait() = default;

private:
  static constexpr std::uint64_t count_mask = 3;

  pal::atomic<std::uint64_t> word_{1};
  pal::atomic<std::uint32_t> references_{1};
  bool memory_taken_ = false;
  alignas(16) std::byte memory_[288];  // The largest of Asio 1.81, accept, takes 272.
};

/// A reference to a wait, or to the part of it that holds the result.
template <class Wait>
class wait_ref {
public:
  wait_ref() = default;
  /// Takes over a reference.
  explicit wait_ref(Wait* adopted) noexcept : wait_{adopted} {}
  wait_ref(const wait_ref& other) noexcept : wait_{other.wait_} {
    if (wait_ != nullptr) wait_->keep();
  }
  wait_ref(wait_ref&& other) noexcept : wait_{std::exchange(other.wait_, nullptr)} {}
  wait_ref& operator=(wait_ref other) noexcept {
    std::swap(wait_, other.wait_);
    return *this;
  }
  ~wait_ref() {
    if (wait_ != nullptr) wait_->drop();
  }
  Wait* operator->() const noexcept { return wait_; }
  Wait* get() const noexcept { return wait_; }
  explicit operator bool() const noexcept { return wait_ != nullptr; }

private:
  Wait* wait_ = nullptr;
};

/// Asio's way to the memory of a wait.
template <class T>
class wait_allocator {
public:
  using value_type = T;

  explicit wait_allocator(asio_wait& wait) noexcept : wait_{&wait} {}
  template <class U>
  wait_allocator(const wait_allocator<U>& other) noexcept : wait_{other.wait_} {}

  [[nodiscard]] T* allocate(std::size_t count) {
    static_assert(alignof(T) <= 16);
    return static_cast<T*>(wait_->take_memory(count * sizeof(T)));
  }
  void deallocate(T* block, std::size_t count) noexcept {
    wait_->give_memory(block, count * sizeof(T));
  }

  friend bool operator==(const wait_allocator& a, const wait_allocator& b) noexcept {
    return a.wait_ == b.wait_;
  }

private:
  template <class>
  friend class wait_allocator;

  asio_wait* wait_;
};

}  // namespace troupe::inline v0_1::net::detail
