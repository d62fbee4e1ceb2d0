#include "aggregator.hpp"

#include <algorithm>
#include <chrono>
#include <unordered_map>

#include <troupe/sync/merge.hpp>

namespace service {

namespace {

class accounts {
public:
  void handle(report& made) {
    std::uint64_t& total = open_[made.from];
    // Totals only grow: an old report that comes late takes nothing away.
    counted_bytes_ += std::max(total, made.total_bytes) - total;
    total = std::max(total, made.total_bytes);
    made.reply.send(total);
    if (made.is_last) open_.erase(made.from);
  }

  void handle(ask_totals& asked) {
    totals now;
    now.connections = open_.size();
    now.counted_bytes = counted_bytes_;
    now.last_second_bytes = last_second_bytes_;
    asked.reply.send(now);
  }

  void end_second() noexcept {
    last_second_bytes_ = counted_bytes_ - counted_before_;
    counted_before_ = counted_bytes_;
  }

  [[nodiscard]] std::uint64_t counted_bytes() const noexcept { return counted_bytes_; }

private:
  std::unordered_map<connection_id, std::uint64_t> open_;
  std::uint64_t counted_bytes_ = 0;
  std::uint64_t counted_before_ = 0;  // At the last tick.
  std::uint64_t last_second_bytes_ = 0;
};

}  // namespace

troupe::task<std::uint64_t> aggregate(troupe::receiver<aggregator::message> messages) {
  accounts all;
  auto items = troupe::merge(messages, troupe::interval{std::chrono::seconds{1}});
  for (;;) {
    auto item = co_await items.next();
    if (std::holds_alternative<troupe::done>(item)) co_return all.counted_bytes();
    if (auto* message = std::get_if<aggregator::message>(&item)) {
      std::visit([&all](auto& each) { all.handle(each); }, *message);
    } else {
      all.end_second();
    }
  }
}

troupe::task<std::uint64_t> aggregator::report_total(connection_id from, std::uint64_t total_bytes,
                                                     bool is_last) {
  auto ends = troupe::oneshot<std::uint64_t>();
  message made{std::in_place_type<report>, from, total_bytes, is_last, std::move(ends.tx)};
  co_await to_.send(troupe::take(made));
  co_return co_await ends.rx;
}

troupe::task<totals> aggregator::ask() {
  auto ends = troupe::oneshot<totals>();
  message made{std::in_place_type<ask_totals>, std::move(ends.tx)};
  co_await to_.send(troupe::take(made));
  co_return co_await ends.rx;
}

}  // namespace service
