#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

#include <troupe/base/assert.hpp>
#include <troupe/base/memory.hpp>
#include <troupe/base/result.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/task/operation.hpp>

namespace troupe::inline v0_1 {

namespace detail {

/// The place of one value between two ends.
///
///   word_          means                            changed by
///   {waker}        empty; the receiver sleeps       enlist; delist -> 0
///   bit sent       the value is there               send; the sender is done with the cell
///   bit tx_gone    the sender left without a value  drop_sender; it is done with the cell
///   bit rx_gone    nobody will look                 drop_receiver
///
///   R1. The end that comes second destroys the cell: each sets its bit with one step that shows
///       whether the other's was there.
template <class T>
class oneshot_cell {
public:
  static oneshot_cell* make() { return new (allocate(sizeof(oneshot_cell))) oneshot_cell; }

  /// Returns: false when the receiver is gone; the value is then still the caller's in `value`.
  bool send(T& value) {
    std::construct_at(&value_, std::move(value));
    std::uint64_t before = word_.fetch_or(sent, std::memory_order_acq_rel);  // <-> drop_receiver
    if ((before & rx_gone) != 0) {
      std::destroy_at(&value);
      std::construct_at(&value, std::move(value_));
      std::destroy_at(&value_);
      destroy();
      return false;
    }
    if (before != 0) waker::from_bits(before).wake();
    return true;
  }
  void drop_sender() noexcept {
    std::uint64_t before = word_.fetch_or(tx_gone, std::memory_order_acq_rel);  // <-> drop_receiver
    if ((before & rx_gone) != 0) {
      destroy();
    } else if (before != 0) {
      waker::from_bits(before).wake();
    }
  }
  void drop_receiver() noexcept {
    std::uint64_t before = word_.fetch_or(rx_gone, std::memory_order_acq_rel);  // <-> send
    if ((before & sent) != 0) std::destroy_at(&value_);
    if ((before & (sent | tx_gone)) != 0) destroy();
  }

  [[nodiscard]] bool settled() const noexcept {
    return (word_.load(std::memory_order_acquire) & (sent | tx_gone)) != 0;  // <- send
  }
  [[nodiscard]] bool receiver_gone() const noexcept {
    return (word_.load(std::memory_order_relaxed) & rx_gone) != 0;
  }
  [[nodiscard]] bool enlist(waker key) noexcept {
    std::uint64_t nothing = 0;
    return word_.compare_exchange_strong(nothing, key.bits(), std::memory_order_release,  // -> send
                                         std::memory_order_relaxed);
  }
  void delist() noexcept {
    std::uint64_t seen = word_.load(std::memory_order_relaxed);
    if (seen == 0 || (seen & (sent | tx_gone)) != 0) return;
    word_.compare_exchange_strong(seen, 0, std::memory_order_relaxed);
  }

  /// Moves the value out and ends the receiver's part. Requires: settled().
  result<T> take() {
    struct last_step {
      oneshot_cell* cell;
      ~last_step() { cell->drop_receiver(); }
    } last{this};
    if ((word_.load(std::memory_order_relaxed) & sent) == 0) {  // settled() has seen the value.
      return failed_with<T>(make_error_code(errc::closed));
    }
    return succeeded_with<T>(std::move(value_));
  }

private:
  static constexpr std::uint64_t sent = 1, tx_gone = 2, rx_gone = 4;

  oneshot_cell() noexcept {}
  ~oneshot_cell() {}
  void destroy() noexcept {
    this->~oneshot_cell();
    deallocate(this, sizeof(oneshot_cell));
  }

  pal::atomic<std::uint64_t> word_{0};
  union {
    T value_;
  };
};

}  // namespace detail

/// The sending end of a oneshot: sends one value, at most once, from any thread.
/// Dropped unsent, it ends the receiver's wait with `errc::closed`.
template <class T>
class oneshot_sender {
public:
  oneshot_sender(oneshot_sender&& other) noexcept : cell_{std::exchange(other.cell_, nullptr)} {}
  oneshot_sender& operator=(oneshot_sender&& other) noexcept {
    std::swap(cell_, other.cell_);
    return *this;
  }
  ~oneshot_sender() {
    if (cell_ != nullptr) cell_->drop_sender();
  }

  /// Sends `value`; never waits.
  /// Returns: the value itself when the receiver is gone; empty when it was sent.
  /// Requires: nothing was sent before.
  std::optional<T> send(T value, std::source_location where = std::source_location::current()) {
    if (cell_ == nullptr)
      misuse("a oneshot_sender was used twice: it sends one value [S12]", where);
    if (std::exchange(cell_, nullptr)->send(value)) return std::nullopt;
    return value;
  }

  /// Returns: true when nobody will receive the value any more.
  [[nodiscard]] bool receiver_gone() const noexcept {
    return cell_ == nullptr || cell_->receiver_gone();
  }

private:
  template <class U>
  friend struct oneshot_ends;
  explicit oneshot_sender(detail::oneshot_cell<T>* cell) noexcept : cell_{cell} {}

  detail::oneshot_cell<T>* cell_;
};

/// The receiving end of a oneshot: `T value = co_await rx;`, once.
/// Errors: `errc::closed` when the sender was dropped unsent. Cancel: the value is not taken.
template <class T>
class oneshot_receiver {
public:
  oneshot_receiver(oneshot_receiver&& other) noexcept
      : cell_{std::exchange(other.cell_, nullptr)} {}
  oneshot_receiver& operator=(oneshot_receiver&& other) noexcept {
    std::swap(cell_, other.cell_);
    return *this;
  }
  ~oneshot_receiver() {
    if (cell_ != nullptr) cell_->drop_receiver();
  }

  class operation final : public detail::fallible_operation<operation> {
  public:
    static constexpr const char* name = "a oneshot's value";

    explicit operation(oneshot_receiver& source) noexcept : source_{&source} {}
    bool poll() noexcept { return source_->cell_->settled(); }
    bool enlist(waker key) noexcept { return source_->cell_->enlist(key); }
    void delist() noexcept {
      if (source_->cell_ != nullptr) source_->cell_->delist();
    }
    result<T> take() { return std::exchange(source_->cell_, nullptr)->take(); }

  private:
    oneshot_receiver* source_;
  };

  /// The wait for the value, for `co_await`, select and timeout.
  [[nodiscard]] operation as_operation(std::source_location where = {}) {
    if (cell_ == nullptr)
      misuse("a oneshot_receiver was awaited twice: keep its value [S13]", where);
    return operation{*this};
  }

  /// The same wait, giving a result<T>: `auto r = co_await rx.as_result();`
  [[nodiscard]] auto as_result(std::source_location where = std::source_location::current()) {
    return as_operation(where).as_result();
  }

  /// Takes the value without waiting. Errors: `errc::empty`, `errc::closed`.
  [[nodiscard]] result<T> try_recv(std::source_location where = std::source_location::current()) {
    if (cell_ == nullptr)
      misuse("a oneshot_receiver was used after its value was taken: keep that [S14]", where);
    if (!cell_->settled()) return failed_with<T>(make_error_code(errc::empty));
    return std::exchange(cell_, nullptr)->take();
  }

private:
  template <class U>
  friend struct oneshot_ends;
  explicit oneshot_receiver(detail::oneshot_cell<T>* cell) noexcept : cell_{cell} {}

  detail::oneshot_cell<T>* cell_;
};

/// Both ends of a fresh oneshot: `auto [tx, rx] = oneshot<std::string>();`
template <class T>
struct oneshot_ends {
  oneshot_sender<T> tx;
  oneshot_receiver<T> rx;

  oneshot_ends() : oneshot_ends{detail::oneshot_cell<T>::make()} {}

private:
  explicit oneshot_ends(detail::oneshot_cell<T>* cell) noexcept : tx{cell}, rx{cell} {}
};

/// A channel for one value: what a request's answer travels through.
/// Bounds: one small block. Requires: T is movable without exceptions.
template <class T>
[[nodiscard]] oneshot_ends<T> oneshot() {
  static_assert(std::is_nothrow_move_constructible_v<T>, "a oneshot's value needs a nothrow move");
  static_assert(alignof(T) <= 16, "over-aligned values are not supported");
  return oneshot_ends<T>{};
}

}  // namespace troupe::inline v0_1
