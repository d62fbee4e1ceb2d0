// Actors that end in every way, and those who are told: monitors, links, waiting tasks, names.

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <troupe/actor/actor.hpp>
#include <troupe/actor/registry.hpp>
#include <troupe/sched/sleep.hpp>

#include "families.hpp"
#include "ledger.hpp"

namespace troupe::scenarios {

using namespace std::chrono_literals;

namespace {

struct note {
  letter<void> text;
  std::size_t from = 0;
};

// What has been done to one of the mortal actors, and what became of it.
struct fate {
  bool was_stopped = false;
  bool was_killed = false;
  bool has_crashed = false;
  bool was_dropped = false;
  std::size_t starts = 0, stops = 0, states = 0;
  std::vector<std::size_t> linked;
  std::optional<exit_kind> end;  // As a waiting task was told.

  [[nodiscard]] bool is_untouched() const {
    return !was_stopped && !was_killed && !has_crashed && !was_dropped && linked.empty();
  }
};

class mourner;

struct state {
  explicit state(scene& in)
      : here{in}, book{in}, fates(in.between(1, 8)), mourners(in.between(1, 4)) {}

  scene& here;
  ledger book;
  std::vector<fate> fates;
  const std::size_t mourners;
  bool is_broken_off = false;  // Main may have dropped what it holds.
};

struct begin {};
struct crash {};

class mortal : public actor {
public:
  mortal(state& in, std::size_t number) : in_{in}, number_{number} { ++mine().states; }
  mortal(const mortal&) = delete;
  mortal& operator=(const mortal&) = delete;
  ~mortal() { --mine().states; }

  task<> on_start() {
    alive frame;
    ++mine().starts;
    co_await sleep_for(in_.here.some_time());
  }
  task<> on_stop() {
    alive frame;
    ++mine().stops;
    co_await sleep_for(in_.here.some_time());
  }
  void on(crash) {
    check_started();
    mine().has_crashed = true;
    throw planned_crash{};
  }

  struct tell {
    ref<mourner> whom;
    std::size_t which = 0;
  };
  task<> on(tell m);

  struct join {
    ref<mortal> other;
    std::size_t which = 0;
  };
  bool on(join m) {
    check_started();
    in_.fates[number_].linked.push_back(m.which);
    in_.fates[m.which].linked.push_back(number_);
    self(this).link(m.other);
    return true;
  }

private:
  [[nodiscard]] fate& mine() const { return in_.fates[number_]; }
  void check_started() const {
    in_.here.check(mine().starts == 1, "on_start runs {} times before a message", mine().starts);
  }

  state& in_;
  const std::size_t number_;
  alive counted_;
};

// Is told of ends.
class mourner : public actor {
public:
  mourner(state& in, std::size_t number) : in_{in}, number_{number} {}

  struct watch {
    ref<mortal> whom;
    std::size_t which = 0;
  };
  bool on(watch m) {
    bool is_new = known_.try_emplace(m.whom.id(), watched{m.which}).second;
    if (!is_new) return false;
    self(this).monitor(m.whom);
    return true;
  }
  struct forget {
    actor_id who;
  };
  bool on(forget m) {
    auto found = known_.find(m.who);
    if (found == known_.end()) return false;
    found->second.is_forgotten = true;
    self(this).demonitor(m.who);
    return true;
  }
  void on(down m) {
    auto found = known_.find(m.who);
    in_.here.check(found != known_.end(), "a notice of an actor that is not monitored");
    if (found == known_.end()) return;
    watched& of = found->second;
    in_.here.check(!of.is_forgotten, "a notice comes after demonitor()");
    in_.here.check(!m.restarts, "a notice of a restart, without a supervisor");
    ++of.notices;
    in_.here.check(of.notices == 1, "{} notices of one end", of.notices);
    check_reason(in_.fates[of.which], m.why.kind);
  }
  void on(note m) {
    m.text.begin();
    for (const auto& [who, of] : known_) {
      in_.here.check(of.which != m.from || of.notices == 0,
                     "a message comes after the notice of its sender's end");
    }
  }

  // Everybody has ended: all notices must have come.
  bool on(begin) {
    for (const auto& [who, of] : known_) {
      in_.here.check(of.is_forgotten || of.notices == 1, "mourner {} has {} notices of actor {}",
                     number_, of.notices, of.which);
    }
    return true;
  }

private:
  struct watched {
    std::size_t which = 0;
    std::size_t notices = 0;
    bool is_forgotten = false;
  };

  void check_reason(const fate& of, exit_kind kind) const {
    bool is_tied = !of.linked.empty();
    bool is_right = kind == exit_kind::unknown || kind == exit_kind::abandoned ||
                    (kind == exit_kind::failed && of.has_crashed) ||
                    (kind == exit_kind::killed && (of.was_killed || is_tied)) ||
                    (kind == exit_kind::stopped && of.was_stopped) ||
                    (kind == exit_kind::unreachable && (of.was_dropped || in_.is_broken_off));
    in_.here.check(is_right, "an actor is told to have ended so: {}", to_string(kind));
  }

  state& in_;
  const std::size_t number_;
  std::map<actor_id, watched> known_;
  alive counted_;
};

task<> mortal::on(tell m) {
  alive frame;
  check_started();
  std::size_t number = in_.book.open(number_, in_.fates.size() + m.which);
  note text{{in_.book, number}, number_};
  sending wait{in_.book, number};
  auto sent = co_await m.whom.send(take(text)).as_result();
  if (sent) wait.accept();
}

// What main holds of each.
struct cast {
  std::vector<std::optional<ref<mortal>>> mortals;  // None: dropped.
  std::vector<weak_ref<mortal>> known;
  std::vector<ref<mourner>> mourners;
};

task<> do_something(state& in, cast& all) {
  scene& here = in.here;
  std::size_t which = here.below(all.mortals.size());
  std::size_t who = here.below(all.mourners.size());
  auto whom = all.known[which].lock();
  if (!whom) co_return;
  fate& of = in.fates[which];
  switch (here.below(10)) {
    case 0:
      of.was_stopped = true;
      whom->stop();
      break;
    case 1:
      of.was_killed = true;
      whom->kill();
      break;
    case 2:
      co_await whom->send(crash{}).as_result();
      break;
    case 3:
      of.was_dropped = true;
      all.mortals[which].reset();
      break;
    case 4: {
      mourner::forget m{whom->id()};
      co_await all.mourners[who].ask(take(m));
      break;
    }
    case 5: {
      std::size_t other = here.below(all.mortals.size());
      auto tied = all.known[other].lock();
      if (!tied || other == which) break;
      mortal::join m{*tied, other};
      co_await whom->ask(take(m)).as_result();
      break;
    }
    case 6:
    case 7: {
      mortal::tell m{all.mourners[who], who};
      co_await whom->send(take(m)).as_result();
      break;
    }
    default: {
      mourner::watch m{*whom, which};
      co_await all.mourners[who].ask(take(m));
    }
  }
}

std::string name_of(std::size_t number) { return "mortal " + std::to_string(number); }

// The name of one that lives stands for it, and that of one that has ended for nobody.
void check_names(state& in, const cast& all) {
  for (std::size_t i = 0; i < all.known.size(); ++i) {
    auto named = find_actor<mortal>(name_of(i));
    auto known = all.known[i].lock();
    bool is_right = known && !known->has_ended() ? named && *named == *known : !named;
    in.here.check(is_right, "the name of actor {} stands for another one, or for none", i);
  }
}

task<> wait_for_end(state& in, ref<mortal> whom, std::size_t which) {
  alive frame;
  auto why = co_await whom.ended();
  in.here.check(!in.fates[which].end, "an end is told twice");
  in.here.check(whom.has_ended(), "an actor whose end is told takes mail");
  in.fates[which].end = why.kind;
}

void check_fates(state& in, const cast& all) {
  for (std::size_t i = 0; i < in.fates.size(); ++i) {
    const fate& of = in.fates[i];
    auto known = all.known[i].lock();
    bool has_ended = !known || known->has_ended();
    in.here.check(!of.is_untouched() || !has_ended, "actor {} ends, and nobody has ended it", i);
    bool is_doomed = of.was_stopped || of.was_killed || of.has_crashed;
    in.here.check(!is_doomed || has_ended, "actor {} was ended, and lives", i);
    in.here.check(!is_doomed || of.states == 0, "the state of actor {} outlives it", i);
    in.here.check(of.starts <= 1 && of.stops <= of.starts,
                  "actor {} starts {} times and stops {} times", i, of.starts, of.stops);
    bool ends_badly = of.end == exit_kind::failed || of.end == exit_kind::killed;
    for (std::size_t other : of.linked) {
      auto tied = all.known[other].lock();
      in.here.check(!ends_badly || !tied || tied->has_ended(),
                    "actor {} has failed, and actor {}, tied to it, lives", i, other);
    }
  }
}

task<> program(state& in) {
  alive frame;
  scene& here = in.here;
  cast all;
  std::vector<join_handle<void>> waiting;
  for (std::size_t i = 0; i < in.fates.size(); ++i) {
    auto made = spawn<mortal>(in, i);
    here.check(register_actor(name_of(i), made), "a name is not free");
    if (here.percent(50)) waiting.push_back(spawn(wait_for_end, std::ref(in), made, i));
    all.known.emplace_back(made);
    all.mortals.emplace_back(std::move(made));
  }
  for (std::size_t i = 0; i < in.mourners; ++i) all.mourners.push_back(spawn<mourner>(in, i));
  std::size_t acts = here.between(1, 60);
  for (std::size_t i = 0; i < acts; ++i) {
    co_await do_something(in, all);
    if (here.percent(40)) co_await sleep_for(here.some_time());
    check_names(in, all);
  }
  co_await sleep_for(1min);
  check_fates(in, all);
  for (auto& each : in.fates) each.was_stopped = true;
  for (const auto& each : all.known) {
    if (auto whom = each.lock()) whom->stop();
  }
  all.mortals.clear();
  for (auto& each : waiting) co_await each;
  co_await sleep_for(1min);
  check_names(in, all);
  for (auto& each : all.mourners) co_await each.ask(begin{});
}

}  // namespace

void play_endings(scene& here) {
  auto& in = here.keep<state>(here);
  sim::node& node = here.add_node();
  node.start([&in]() -> task<> { return program(in); });
  in.is_broken_off = here.percent(15);
  if (in.is_broken_off) here.break_off(node);
  here.run(1h);
  here.end_world();
  in.book.settle_ends();
}

}  // namespace troupe::scenarios
