#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>

#include <troupe/actor/actor.hpp>

namespace troupe::inline v0_1::actors {

/// Adds a value to what an aggregator holds: `co_await sums.send(actors::add{5});`
template <class Value>
struct add {
  Value value;
};
template <class Value>
add(Value) -> add<Value>;

/// Asks an aggregator for what it holds, which it goes on holding.
struct total {};

/// Many feed it, one gets the sum: adds up what it is sent, and gives it to `flush` at every tick,
/// or as soon as so many values have come, and once more at its end. Then it begins at Value{}.
///
/// A tick flushes also when nothing has come: the count is 0 then. The end flushes what is left
/// when the actor is stopped or has failed, and when nobody holds a ref to it any more; after
/// kill() nothing. Of values still in the mailbox a stop takes no notice; drop the refs instead.
///
/// Requires: `period` above zero; a `Value` has a +=, or else give `Combine`, called with the sum
///           and a value.
/// Errors:   what `flush` throws ends the actor; what it was given is gone.
/// Example:
///     auto print = [](std::int64_t sum, std::size_t count) { fmt::print("{} {}\n", sum, count); };
///     auto sums = spawn<actors::aggregator<std::int64_t>>(print, 30s);
///     co_await sums.send(actors::add{std::int64_t{5}});
template <class Value, class Combine = std::plus<>>
class aggregator final : public actor {
public:
  using flush_function = std::function<void(Value sum, std::size_t count)>;

  explicit aggregator(flush_function flush, duration period, std::size_t max_count = SIZE_MAX)
      : flush_{std::move(flush)}, period_{period}, max_count_{max_count} {
    if (period <= duration::zero())
      misuse("aggregator(flush, period): the period must be above zero [A13]");
  }

  void on(add<Value> m) {
    sum_ = Combine{}(std::move(sum_), std::move(m.value));
    if (++count_ >= max_count_) flush();
  }
  Value on(total) const { return sum_; }

  struct tick {};
  void on(tick) { flush(); }

  void on_start() { self(this).send_every(period_, tick{}); }
  void on_stop() { flush(); }

private:
  void flush() { flush_(std::exchange(sum_, Value{}), std::exchange(count_, 0)); }

  flush_function flush_;
  duration period_;
  std::size_t max_count_;
  Value sum_{};
  std::size_t count_ = 0;
};

}  // namespace troupe::inline v0_1::actors
