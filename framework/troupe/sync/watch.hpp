#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include <troupe/base/assert.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/pal/mutex.hpp>
#include <troupe/sync/detail/progress.hpp>
#include <troupe/task/operation.hpp>

namespace troupe::inline v0_1 {

namespace detail {

/// The value that all ends of one watch look at; the last end destroys it.
template <class T>
class watch_core {
public:
  explicit watch_core(T&& initial) : value_{std::move(initial)} {}

  void add_sender() noexcept { senders_.fetch_add(1, std::memory_order_relaxed); }
  void remove_sender() noexcept {
    // <-> each other: what a sender has done, and its last value, is there before the end is.
    if (senders_.fetch_sub(1, std::memory_order_acq_rel) == 1) changes_.end();
    release();
  }
  void add_receiver() noexcept { receivers_.fetch_add(1, std::memory_order_relaxed); }
  void remove_receiver() noexcept {
    receivers_.fetch_sub(1, std::memory_order_relaxed);
    release();
  }
  void add_owner() noexcept { owners_.fetch_add(1, std::memory_order_relaxed); }
  [[nodiscard]] bool has_receivers() const noexcept {
    return receivers_.load(std::memory_order_relaxed) > 0;
  }

  template <class Change>
  void change(Change act) {
    struct telling {  // Whatever leaves `act`: the value may have changed.
      progress& changes;
      ~telling() { changes.tell(); }
    } last{changes_};
    pal::lock guard{mutex_};
    struct counting {
      progress& changes;
      ~counting() { changes.advance(); }
    } before_unlock{changes_};
    act(value_);
  }

  T get(std::uint64_t& version) const {
    pal::lock guard{mutex_};
    T copy{value_};
    version = changes_.count();
    return copy;
  }
  [[nodiscard]] progress& changes() noexcept { return changes_; }

private:
  void release() noexcept {
    if (owners_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;  // <-> each other
  }

  mutable pal::mutex mutex_;
  T value_;
  progress changes_;
  pal::atomic<std::uint32_t> senders_{1};
  pal::atomic<std::uint32_t> receivers_{1};
  pal::atomic<std::uint32_t> owners_{2};  // All ends.
};

}  // namespace detail

template <class T>
class watch_receiver;

/// The end of a watch that changes its value; copied to every task that does.
///
/// Threads: each copy by one thread at a time, also foreign ones.
template <class T>
class watch_sender {
public:
  watch_sender(const watch_sender& other) noexcept : core_{other.core_} {
    if (core_ == nullptr) return;
    core_->add_sender();
    core_->add_owner();
  }
  watch_sender(watch_sender&& other) noexcept : core_{std::exchange(other.core_, nullptr)} {}
  watch_sender& operator=(watch_sender other) noexcept {
    std::swap(core_, other.core_);
    return *this;
  }
  ~watch_sender() {
    if (core_ != nullptr) core_->remove_sender();
  }

  /// Puts `value` in the place of the one that is there; never waits.
  void set(T value) {
    core().change([&value](T& place) { std::swap(place, value); });  // The old one ends here.
  }

  /// Calls `act(T&)` on the value in its place. What `act` throws is thrown on, and receivers are
  /// told of a change all the same. Requires: `act` uses no end of this watch.
  template <class Act>
    requires std::invocable<Act&, T&>
  void update(Act act) {
    core().change([&act](T& place) { std::invoke(act, place); });
  }

  /// Returns: true while there is no receiver. What is set then is seen by later ones.
  [[nodiscard]] bool is_closed() const { return !core().has_receivers(); }

  /// Returns: one more receiver, to which the present value is no change.
  [[nodiscard]] watch_receiver<T> subscribe() const {
    detail::watch_core<T>& of = core();
    of.add_receiver();
    of.add_owner();
    return watch_receiver<T>{of, of.changes().count()};
  }

private:
  template <class U>
  friend struct watch_ends;
  explicit watch_sender(detail::watch_core<T>& core) noexcept : core_{&core} {}

  detail::watch_core<T>& core() const {
    if (core_ == nullptr)
      misuse("a watch_sender was used after it was moved from: copy it instead [S16]");
    return *core_;
  }

  detail::watch_core<T>* core_;
};

/// The end of a watch that looks at its value. A copy has seen what its original had.
///
/// Threads: each copy by one thread at a time; get() also by foreign ones.
template <class T>
class watch_receiver {
public:
  watch_receiver(const watch_receiver& other) noexcept : core_{other.core_}, seen_{other.seen_} {
    if (core_ == nullptr) return;
    core_->add_receiver();
    core_->add_owner();
  }
  watch_receiver(watch_receiver&& other) noexcept
      : core_{std::exchange(other.core_, nullptr)}, seen_{other.seen_} {}
  watch_receiver& operator=(watch_receiver other) noexcept {
    std::swap(core_, other.core_);
    std::swap(seen_, other.seen_);
    return *this;
  }
  ~watch_receiver() {
    if (core_ != nullptr) core_->remove_receiver();
  }

  /// Returns: a copy of the latest value, which next() does not give any more. Also after the
  ///          last sender has gone. Requires: T's copy uses no end of this watch.
  [[nodiscard]] T get() { return core().get(seen_); }

  class next_operation {
  public:
    static constexpr const char* name = "a change of a watched value";

    explicit next_operation(watch_receiver& source) noexcept : source_{&source} {}
    next_operation(next_operation&& other) noexcept : source_{other.source_} {}

    bool poll() noexcept {
      std::uint64_t word = source_->core_->changes().word();
      std::uint64_t count = detail::progress::count_in(word);
      has_changed_ = count != source_->seen_;
      source_->seen_ = count;
      return has_changed_ || detail::progress::is_end(word);
    }
    bool enlist(waker key) noexcept {
      return source_->core_->changes().park(waiter_, key, source_->seen_);
    }
    void delist() noexcept { detail::parking_lot::instance().leave(waiter_); }
    [[nodiscard]] std::optional<T> take() {
      if (!has_changed_) return std::nullopt;
      return source_->get();
    }

  private:
    watch_receiver* source_;
    detail::parked_waiter waiter_;
    bool has_changed_ = false;
  };

  /// Waits for a value that this receiver has not got.
  /// Returns: a copy of the latest one; nothing when there is none and the last sender has gone.
  /// Requires: the receiver stays at its place until the await is over.
  /// Cancel: nothing is lost: the value is given the next time.
  [[nodiscard]] next_operation next() {
    core();
    return next_operation{*this};
  }

private:
  friend class watch_sender<T>;
  template <class U>
  friend struct watch_ends;
  explicit watch_receiver(detail::watch_core<T>& core, std::uint64_t seen) noexcept
      : core_{&core}, seen_{seen} {}

  detail::watch_core<T>& core() const {
    if (core_ == nullptr)
      misuse(
          "a watch_receiver was used after it was moved from: use the one that has it now [S17]");
    return *core_;
  }

  detail::watch_core<T>* core_;
  std::uint64_t seen_;  // The version that is no change any more.
};

/// Both ends of a fresh watch: `auto [tx, rx] = watch(config{});`
template <class T>
struct watch_ends {
  watch_sender<T> tx;
  watch_receiver<T> rx;

  explicit watch_ends(T&& initial) : watch_ends{*new detail::watch_core<T>{std::move(initial)}} {}

private:
  explicit watch_ends(detail::watch_core<T>& core) noexcept : tx{core}, rx{core, 0} {}
};

/// One value that some change and many look at: a configuration, a state, a figure.
///
/// A late value overwrites; a receiver that is slow skips values, never the latest.
/// Requires: T can be copied, moved and assigned.
/// Bounds:   one block; values are copied under a lock, so let large ones be shared pointers.
/// Source:   Tokio's watch.
/// Example:
///     auto [tx, rx] = watch(1);
///     tx.set(2);
///     while (auto latest = co_await rx.next()) use(*latest);
template <class T>
[[nodiscard]] watch_ends<T> watch(T initial) {
  static_assert(std::is_object_v<T> && std::copyable<T>, "a watched value is copied and assigned");
  return watch_ends<T>{std::move(initial)};
}

}  // namespace troupe::inline v0_1
