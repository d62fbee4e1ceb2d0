#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include <troupe/base/cache_line.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/sync/message_queue.hpp>
#include <troupe/sync/parking_lot.hpp>
#include <troupe/task/waker.hpp>

namespace troupe::inline v0_1::detail {

/// The part of an mpsc channel that does not depend on the type of its messages.
///
/// Owned by its receiver and its senders together; the last of them destroys it.
class channel_core {
public:
  using destroy_message = void (*)(message_link&) noexcept;

  /// `capacity` 0 means unbounded.
  channel_core(std::uint32_t capacity, destroy_message destroy) noexcept
      : capacity_{capacity}, batch_{capacity / 16 == 0 ? 1 : capacity / 16}, destroy_{destroy} {}
  ~channel_core();

  // --- senders ---

  void add_sender() noexcept { senders_.fetch_add(1, std::memory_order_relaxed); }
  /// The last one closes the channel; what was sent is still received.
  void remove_sender() noexcept;

  [[nodiscard]] message_queue::pushed push(message_link& message) noexcept {
    auto how = queue_.push(message, capacity_);
    if (how == message_queue::pushed::sent_to_idle) wake_receiver();
    return how;
  }
  void push_reserved(message_link& message) noexcept {
    if (queue_.push_reserved(message) == message_queue::pushed::sent_to_idle) wake_receiver();
  }
  [[nodiscard]] message_queue::pushed reserve() noexcept {
    return capacity_ == 0 && !queue_.is_closed() ? message_queue::pushed::sent
                                                 : queue_.reserve(capacity_);
  }
  void return_reserved() noexcept;
  [[nodiscard]] const message_queue& queue() const noexcept { return queue_; }
  [[nodiscard]] std::uint32_t capacity() const noexcept { return capacity_; }

  [[nodiscard]] bool park_sender(parked_waiter& waiter, waker key) noexcept;
  void wake_senders(std::size_t count) noexcept;

  // --- the receiver ---

  /// Takes the oldest message; null when there is none at the moment.
  [[nodiscard]] message_link* pop() noexcept {
    if (taken_ == nullptr && !take_more()) return nullptr;
    message_link* oldest = taken_;
    taken_ = oldest->next;
    if (capacity_ != 0 && ++begun_ >= batch_) give_back();
    return oldest;
  }
  [[nodiscard]] bool at_end() const noexcept { return taken_ == nullptr && queue_.at_end(begun_); }
  [[nodiscard]] bool sleep(waker key) noexcept;
  void leave_idle() noexcept { queue_.leave_idle(); }
  void close() noexcept;
  void remove_receiver() noexcept;

private:
  [[nodiscard]] bool take_more() noexcept;
  void give_back() noexcept;
  void wake_receiver() noexcept {
    waker::from_bits(receiver_.load(std::memory_order_relaxed)).wake();
  }
  void release() noexcept;

  message_queue queue_;
  const std::uint32_t capacity_;
  const std::uint32_t batch_;  // Messages begun before their room is given back.
  pal::atomic<std::uint32_t> senders_{1};
  pal::atomic<std::uint32_t> owners_{2};    // The receiver, and the senders together.
  pal::atomic<std::uint64_t> receiver_{0};  // Its waker; written before it sleeps.
  const destroy_message destroy_;

  // Of the receiver alone.
  alignas(cache_line_bytes) message_link* taken_ = nullptr;
  std::uint32_t begun_ = 0;
};

}  // namespace troupe::inline v0_1::detail
