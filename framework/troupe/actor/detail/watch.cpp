#include <troupe/actor/detail/watch.hpp>

#include <array>
#include <cstdint>
#include <utility>

#include <troupe/actor/detail/actor_block.hpp>
#include <troupe/actor/detail/current.hpp>
#include <troupe/base/assert.hpp>
#include <troupe/base/cache_line.hpp>

namespace troupe::inline v0_1::detail {

namespace {

struct alignas(cache_line_bytes) stripe {
  pal::mutex mutex;
};

}  // namespace

pal::mutex& watch_lock(const actor_block& target) noexcept {
  static std::array<stripe, 64> stripes;
  auto bits = reinterpret_cast<std::uintptr_t>(&target);
  return stripes[((bits >> 7U) * 0x9e3779b97f4a7c15U) >> 58U].mutex;
}

void watch(actor_block& target, watcher& who) {
  actor_extension& there = target.extension();
  pal::lock guard{watch_lock(target)};
  who.target = &target;
  there.watchers.push_back(who);
  who.is_linked = true;
  if (!target.is_dead()) return;  // R2
  intrusive_list<watcher>::erase(who);
  who.is_linked = false;
  who.told(who, there.why, false);
}

void unwatch(watcher& who) noexcept {
  if (who.target == nullptr) return;
  pal::lock guard{watch_lock(*who.target)};
  if (std::exchange(who.is_linked, false)) intrusive_list<watcher>::erase(who);
}

// --- monitors and links of one actor ---

void actor_block::add_monitor(std::unique_ptr<monitor_node> node, actor_block& other) {
  actor_extension& mine = extension();
  (void)other.extension();  // Before it is linked: nothing fails after that.
  mine.monitors.push_back(node->place);
  watch(other, *node.release());
}

void actor_block::end_monitors_of(const actor_id& other) noexcept {
  actor_extension* more = extension_if_any();
  if (more == nullptr) return;
  more->monitors.for_each([&](monitor_place& place) {
    const actor_id* whom = place.node->monitored();
    if (whom != nullptr && *whom == other) place.node->end();
  });
}

void monitor_node::end() noexcept {
  intrusive_list<monitor_place>::erase(place);
  unwatch(*this);
  is_canceled = true;
  if (!is_on_its_way) delete this;  // Else its last word, which is in the mail, does.
}

void monitor_node::send_last(envelope& word) noexcept {
  is_on_its_way = true;  // Before it is sent: who handles it frees this.
  if (!by.push_uncounted(word)) is_on_its_way = false;
}

void monitor_node::end_with_last() noexcept {
  if (place.linked()) intrusive_list<monitor_place>::erase(place);
  delete this;
}

link_node::last_word::last_word(link_node& in) noexcept : envelope{table_of_last_word}, node{in} {}

void link_node::finish(envelope& self, handler_failure) noexcept {
  static_cast<last_word&>(self).node.end_with_last();
}

constinit const envelope_table link_node::table_of_last_word{
    .run = [](actor_block&, envelope&) { return true; },
    .finish = &finish,
    .drop = [](envelope& self, ask_errc) noexcept { finish(self, nullptr); },
    .message_name = "the end of a link"};

void link_node::told_of_end(watcher& self, const exit_reason& why, bool restarts) noexcept {
  auto& mine = static_cast<link_node&>(self);
  if (!why.is_normal()) {
    mine.by.kill();
  } else if (!restarts) {
    mine.send_last(mine.last_);
  }
}

namespace {

// Asks the other half to watch back; keeps who asks.
struct link_request final : envelope {
  explicit link_request(actor_block& by) noexcept : envelope{table_of}, from{by} { from.add_ref(); }
  actor_block& from;

  static bool run(actor_block& of, envelope& self) {
    actor_block& from = static_cast<link_request&>(self).from;
    of.add_monitor(std::make_unique<link_node>(of), from);
    return true;
  }
  static void finish(envelope& self, handler_failure) noexcept {
    static_cast<link_request&>(self).from.drop_ref();
    delete static_cast<link_request*>(&self);
  }
  static void drop(envelope& self, ask_errc) noexcept { finish(self, nullptr); }

  static constexpr envelope_table table_of{
      .run = &run, .finish = &finish, .drop = &drop, .message_name = "link", .is_plain = true};
};

}  // namespace

void actor_block::link_with(actor_block& other) {
  auto request = std::make_unique<link_request>(*this);
  try {
    add_monitor(std::make_unique<link_node>(*this), other);
  } catch (...) {
    link_request::finish(*request.release(), nullptr);
    throw;
  }
  other.push_or_drop(*request.release());
}

// --- waiting for an end ---

end_operation::end_operation(actor_block& whom) noexcept
    : watcher{[](watcher& self, const exit_reason& why, bool restarts) noexcept {
        if (restarts) return;
        auto& mine = static_cast<end_operation&>(self);
        mine.why_ = why;
        mine.is_over_.store(true, std::memory_order_release);  // -> poll
        mine.key_.wake();
      }},
      watched_{&whom} {
  whom.add_ref();
}

end_operation::end_operation(end_operation&& other) noexcept
    : watcher{other.told}, watched_{std::exchange(other.watched_, nullptr)} {}

end_operation::~end_operation() {
  if (watched_ == nullptr) return;
  unwatch(*this);
  watched_->drop_ref();
}

void end_operation::start(std::source_location where) {
  const envelope* handled = current_context()->current->message();
  bool is_in_handler = handled != nullptr && !handled->table->is_interleaved;
  if (current_actor() == watched_ && is_in_handler) {
    misuse(
        "ended() of an actor was awaited in its own handler, which it never outlives: use stop() "
        "[A10]",
        where);
  }
  watch(*watched_, *this);
}

bool end_operation::enlist(waker key) noexcept {
  pal::lock guard{watch_lock(*watched_)};
  key_ = key;
  return !is_over_.load(std::memory_order_relaxed);
}

}  // namespace troupe::inline v0_1::detail
