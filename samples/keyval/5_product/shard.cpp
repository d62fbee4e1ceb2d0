#include "shard.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace keyval {

namespace {

constexpr std::size_t max_swept = 1000;  // At once, so that others have their turn.
constexpr unix_ms longest_sleep = 3'600'000;

}  // namespace

shard::shard(wall_clock clock, std::optional<troupe::ref<journal>> writes_to)
    : clock_{std::move(clock)},
      journal_{std::move(writes_to)},
      store_{journal_.has_value()},
      stored_{std::make_shared<std::atomic<std::uint64_t>>(0)} {}

void shard::on(run m, troupe::reply<part_ptr> back) {
  do_calls(*m.what);
  bool may_answer = !journal_ || m.what->is_replay;
  if (may_answer) return back.answer(std::move(m.what));
  commit next = next_commit(std::move(m.what));
  if (next.records.empty() && !has_unstored()) return back.answer(std::move(next.answer));
  ++sent_;
  journal_->delegate(std::move(next), std::move(back));
}

void shard::do_calls(part& asked) {
  store_.go_to(asked.is_replay ? 0 : clock_());
  bool logs = asked.is_replay && store_.log_changes(false);
  for (const part::call& each : asked.calls) {
    (store_.*each.what->run)(asked.words_of(each), asked.out);
    asked.ends.push_back(asked.out.bytes.size());
  }
  if (logs) (void)store_.log_changes(true);
  wake_for_next_expiry();
}

commit shard::next_commit(part_ptr answer) {
  return {store_.take_log(), std::move(answer), stored_};
}

bool shard::has_unstored() const noexcept {
  return stored_->load(std::memory_order_acquire) != sent_;  // <- journal
}

void shard::wake_for_next_expiry() {
  std::optional<unix_ms> next = store_.next_expiry();
  if (!next || (wakes_at_ && *wakes_at_ <= *next)) return;
  timer_.cancel();
  unix_ms wait = std::clamp<unix_ms>(*next - clock_(), 0, longest_sleep);
  wakes_at_ = next;
  timer_ = self(this).send_after(std::chrono::milliseconds{wait + 1}, sweep{});
}

void shard::on(sweep) {
  wakes_at_.reset();
  store_.go_to(clock_());
  bool has_more = store_.sweep(max_swept);
  if (journal_) {
    commit next = next_commit(nullptr);
    if (!next.records.empty() && journal_->try_send(std::move(next))) ++sent_;
  }
  if (!has_more) return wake_for_next_expiry();
  wakes_at_ = 0;
  timer_ = self(this).send_after(std::chrono::milliseconds{1}, sweep{});
}

}  // namespace keyval
