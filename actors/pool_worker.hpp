#pragma once

#include <cstdint>
#include <memory>
#include <source_location>
#include <utility>

#include <troupe/actor/supervisor.hpp>
#include <troupe/pal/atomic.hpp>

namespace troupe::inline v0_1::actors {

/// One worker of a pool, for routers and for the pool. While somebody holds it the worker goes on;
/// then it does the mail that it has, and ends.
template <class A>
class pool_worker {
public:
  pool_worker(ref<supervisor> above, ref<A> address) noexcept
      : above_{std::move(above)}, address_{std::move(address)} {}

  [[nodiscard]] const ref<A>& address() const noexcept { return address_; }
  /// Returns: its supervisor, which ends when nobody holds it any more, and the worker with it.
  [[nodiscard]] const ref<supervisor>& above() const noexcept { return above_; }
  [[nodiscard]] bool has_ended() const noexcept { return address_.has_ended(); }
  [[nodiscard]] std::uint32_t outstanding() const noexcept {
    return outstanding_.load(std::memory_order_relaxed);
  }

  /// Keeps a worker, and counts as outstanding there.
  class hold {
  public:
    explicit hold(std::shared_ptr<pool_worker> of) noexcept : worker_{std::move(of)} {
      worker_->outstanding_.fetch_add(1, std::memory_order_relaxed);
    }
    hold(hold&&) noexcept = default;
    hold& operator=(hold&&) = delete;
    ~hold() {
      if (worker_ != nullptr) worker_->outstanding_.fetch_sub(1, std::memory_order_relaxed);
    }
    [[nodiscard]] const ref<A>& address() const noexcept { return worker_->address(); }

  private:
    std::shared_ptr<pool_worker> worker_;
  };

private:
  ref<supervisor> above_;
  ref<A> address_;
  pal::atomic<std::uint32_t> outstanding_{0};
};

/// An operation of a worker's ref that was made through the pool: awaited like the ref's own.
template <class A, class Op>
class routed_operation {
public:
  static constexpr const char* name = Op::name;
  using hold = typename pool_worker<A>::hold;

  routed_operation(hold of, Op&& op) : hold_{std::move(of)}, op_{std::move(op)} {}

  /// Makes the await hand over the result<T> instead of throwing its error.
  [[nodiscard]] auto as_result() && {
    using plain = decltype(std::move(op_).as_result());
    return routed_operation<A, plain>{std::move(hold_), std::move(op_).as_result()};
  }

  void start(std::source_location where)
    requires troupe::detail::startable_operation<Op>
  {
    troupe::detail::start_at(op_, where);
  }
  void await_alone() noexcept
    requires requires(Op& op) { op.await_alone(); }
  {
    op_.await_alone();
  }
  void throw_in_words(std::source_location where) const
    requires requires(const Op& op) { op.throw_in_words(where); }
  {
    op_.throw_in_words(where);
  }
  bool poll() noexcept { return op_.poll(); }
  bool enlist(waker key) noexcept { return op_.enlist(key); }
  void delist() noexcept { op_.delist(); }
  auto take() { return op_.take(); }

private:
  hold hold_;  // Outlives the operation.
  Op op_;
};

}  // namespace troupe::inline v0_1::actors
