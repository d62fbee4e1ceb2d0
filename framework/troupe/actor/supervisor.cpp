#include <troupe/actor/supervisor.hpp>

#include <fmt/format.h>

#include <algorithm>

#include <troupe/base/log.hpp>
#include <troupe/sched/sleep.hpp>

namespace troupe::inline v0_1 {

namespace {

// A child on its way to its supervisor; takes no room in its mailbox.
struct adoption final : detail::envelope {
  explicit adoption(detail::actor_block& of) noexcept : envelope{table_of}, child{of} {
    child.add_ref();  // The family's.
  }
  detail::actor_block& child;

  static bool run(detail::actor_block& of, detail::envelope& self) {
    detail::actor_block& child = static_cast<adoption&>(self).child;
    try {
      static_cast<supervisor*>(of.state())->adopt(child);
    } catch (...) {  // No memory.
      child.give_up();
      child.drop_ref();
      throw;
    }
    return true;
  }
  static void finish(detail::envelope& self, detail::handler_failure) noexcept {
    delete static_cast<adoption*>(&self);
  }
  static void drop(detail::envelope& self, ask_errc) noexcept {
    detail::actor_block& child = static_cast<adoption&>(self).child;
    child.give_up();
    child.drop_ref();
    finish(self, nullptr);
  }

  static constexpr detail::envelope_table table_of{
      .run = &run, .finish = &finish, .drop = &drop, .message_name = "adoption", .is_plain = true};
};

// A child's word to its supervisor; lies in the child, and holds a reference to it while it is
// sent.
bool run_notice(detail::actor_block& of, detail::envelope& self) {
  static_cast<supervisor*>(of.state())->judge(static_cast<detail::child_notice&>(self).child);
  return true;
}
void finish_notice(detail::envelope& self, detail::handler_failure) noexcept {
  static_cast<detail::child_notice&>(self).child.drop_ref();
}
void drop_notice(detail::envelope& self, ask_errc) noexcept {
  detail::actor_block& child = static_cast<detail::child_notice&>(self).child;
  child.give_up_now();
  child.drop_ref();
}
constexpr detail::envelope_table notice_table{.run = &run_notice,
                                              .finish = &finish_notice,
                                              .drop = &drop_notice,
                                              .message_name = "child_notice"};

}  // namespace

namespace detail {

child_notice::child_notice(actor_block& of) noexcept : envelope{notice_table}, child{of} {}

void give_to_supervisor(actor_block& supervisor, actor_block& child) {
  supervisor.push_or_drop(*new adoption{child});
}

}  // namespace detail

void supervisor::on_start() {
  auto& more = self_block().extension();
  if (more.children == nullptr) more.children = std::make_unique<detail::family>();
  children_ = more.children.get();
  for (child& each : children_->children()) {  // There are some after a restart.
    if (each.is == state::running) end_incarnation_of(each);
  }
  group_is_due_ = true;
  rebuild_when_all_wait();
}

task<> supervisor::on_stop() {
  if (!self_block().is_given_up()) co_return;  // They go on with the next incarnation.
  if (children_ == nullptr) co_return;         // on_start had no memory for them.
  auto& left = children_->children();
  while (!left.empty()) {
    detail::actor_block& youngest = *left.back().block;
    youngest.give_up();
    co_await detail::end_operation{youngest};
    left.pop_back();
    youngest.drop_ref();
  }
}

void supervisor::adopt(detail::actor_block& block) { children_->adopt(block); }

void supervisor::judge(detail::actor_block& block) {
  child* found = children_->find(block);
  if (found == nullptr) return block.give_up();
  bool was_asked = found->is == state::ending;
  found->is = state::waiting;
  const detail::actor_extension& more = *block.extension_if_any();
  log(log_level::info, fmt::format("{} has ended: {}", block.name(), to_string(more.why)));
  if (!more.line->comes_back_after(more.why)) {
    block.give_up();
    children_->forget(block);
    return rebuild_when_all_wait();
  }
  if (was_asked) return rebuild_when_all_wait();
  check_limit(*found);
  restart(*found);
}

void supervisor::check_limit(const child& failed) {
  if (how_.max_restarts == supervision::unlimited) return;
  time_point present = now();
  while (!restarts_.empty() && restarts_.front() + how_.within < present) restarts_.pop_front();
  if (restarts_.size() >= how_.max_restarts) {
    throw restart_limit_error{fmt::format("{} ended again after {} restarts within {} s: {}",
                                          failed.block->name(), restarts_.size(),
                                          std::chrono::duration<double>(how_.within).count(),
                                          to_string(failed.block->extension_if_any()->why))};
  }
  restarts_.push_back(present);
}

duration supervisor::next_delay(child& failed) {
  time_point present = now();
  bool is_again = failed.failures > 0 && present - failed.failed_at < how_.within;
  failed.failures = is_again ? failed.failures + 1 : 1;
  failed.failed_at = present;
  if (failed.failures < 2 || how_.min_delay <= duration::zero()) return duration::zero();
  duration delay = how_.min_delay;
  for (unsigned i = 2; i < failed.failures && delay < how_.max_delay; ++i) delay *= 2;
  return std::min(delay, how_.max_delay);
}

void supervisor::end_incarnation_of(child& running) {
  running.is = state::ending;
  running.block->restart();
}

void supervisor::restart(child& failed) {
  duration delay = next_delay(failed);
  if (how_.strategy != restart_strategy::one_for_one) {
    bool is_affected = how_.strategy == restart_strategy::one_for_all;
    for (child& each : children_->children()) {
      is_affected |= &each == &failed;
      if (is_affected && each.is == state::running) end_incarnation_of(each);
    }
    group_is_due_ = false;
    group_waits_until_ = std::max(group_waits_until_, now() + delay);
  }
  if (delay > duration::zero()) {
    self(this).send_after(delay, delay_over{failed.block});
  } else {
    on(delay_over{failed.block});
  }
}

void supervisor::on(delay_over m) {
  if (how_.strategy != restart_strategy::one_for_one) {
    if (now() < group_waits_until_) return;  // One that has failed since waits for longer.
    group_is_due_ = true;
    return rebuild_when_all_wait();
  }
  child* found = children_->find(*m.child);
  if (found == nullptr || found->is != state::waiting) return;
  found->is = state::running;
  found->block->rebuild();
}

void supervisor::rebuild_when_all_wait() {
  auto& all = children_->children();
  bool some_are_ending = std::any_of(all.begin(), all.end(),
                                     [](const child& each) { return each.is == state::ending; });
  if (some_are_ending || !group_is_due_) return;
  for (child& each : all) {
    if (each.is != state::waiting) continue;
    each.is = state::running;
    each.block->rebuild();
  }
  group_is_due_ = false;
}

}  // namespace troupe::inline v0_1
