#pragma once

#include <source_location>
#include <utility>
#include <variant>

#include <troupe/sched/interval.hpp>
#include <troupe/sync/mpsc.hpp>
#include <troupe/task/select.hpp>

namespace troupe::inline v0_1 {

/// The end of a merged sequence.
struct done {};

/// The messages of a channel and the ticks of an interval, as one sequence; see merge().
template <class T>
class merged {
public:
  using item = std::variant<T, tick, done>;

  merged(receiver<T>& messages, interval ticks) noexcept
      : messages_{&messages}, ticks_{std::move(ticks)} {}

  class next_operation {
    using race =
        detail::select_operation<typename receiver<T>::recv_operation, interval::next_operation>;

  public:
    static constexpr const char* name = "a message or a tick (merge)";

    explicit next_operation(merged& source)
        : source_{&source},
          race_{std::source_location{}, source.messages_->recv(), source.ticks_.next()} {}

    void start(std::source_location where) { race_.start(where); }
    bool poll() noexcept { return source_->ended_ || race_.poll(); }
    bool enlist(waker key) noexcept { return race_.enlist(key); }
    void delist() noexcept { race_.delist(); }
    item take() {
      if (source_->ended_) return item{std::in_place_index<2>};
      auto first = race_.take();
      if (first.index() == 1) return item{std::in_place_index<1>, std::get<1>(first)};
      auto& message = std::get<0>(first);
      if (!message) {
        source_->ended_ = true;
        return item{std::in_place_index<2>};
      }
      return item{std::in_place_index<0>, std::move(*message)};
    }

  private:
    merged* source_;
    race race_;
  };

  /// Waits for whichever comes first; neither hides the other. After the end: `done` again.
  /// Cancel: no message and no tick is taken.
  [[nodiscard]] next_operation next() { return next_operation{*this}; }

private:
  receiver<T>* messages_;
  interval ticks_;
  bool ended_ = false;  // `done` was given: no tick comes after it.
};

/// Merges a channel with the ticks of an interval. The sequence ends, with `done`, when the channel
/// does, although the interval never would.
///
/// Requires: `messages` outlives the sequence.
/// Example:
///     auto items = merge(rx, interval{30s});
///     for (;;) {
///       auto item = co_await items.next();
///       if (auto* n = std::get_if<0>(&item)) sum += *n;
///       if (item.index() == 1) report(sum);
///       if (item.index() == 2) break;
///     }
template <class T>
[[nodiscard]] merged<T> merge(receiver<T>& messages, interval ticks) {
  return merged<T>{messages, std::move(ticks)};
}

}  // namespace troupe::inline v0_1
