// Supervisors whose children crash in every way there is.

#include <algorithm>
#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include <troupe/actor/actor.hpp>
#include <troupe/actor/supervisor.hpp>
#include <troupe/sched/sleep.hpp>

#include "families.hpp"
#include "ledger.hpp"

namespace troupe::scenarios {

using namespace std::chrono_literals;

namespace {

struct plain {};
struct slow {};
struct tick {
  std::size_t incarnation = 0;
};
struct retire {};

// What is known of one child.
struct child_record {
  child_kind kind = child_kind::permanent;
  std::size_t births = 0;      // Constructors that have begun.
  std::size_t living = 0;      // States that exist.
  std::size_t side_tasks = 0;  // That exist.
  std::size_t restart_notices = 0;
  std::size_t end_notices = 0;
  std::deque<duration> failures;  // Those that make a restart due, by the notices.
};

struct state {
  explicit state(scene& in)
      : here{in},
        book{in},
        children(in.between(1, 5)),
        letters(in.between(5, 60)),
        crash_permille(in.between(1, 150)),
        crash_in_birth_percent(in.percent(30) ? in.between(1, 40) : 0) {
    how.strategy = static_cast<restart_strategy>(in.below(3));
    how.max_restarts =
        in.percent(50) ? supervision::unlimited : static_cast<std::uint32_t>(in.between(0, 6));
    how.within = 1ms + in.below(200) * 1ms;
    how.min_delay = in.percent(30) ? 1ms : 10ms;
    how.max_delay = how.min_delay * in.between(1, 20);
    records.resize(children);
  }

  scene& here;
  ledger book;
  supervision how;
  const std::size_t children, letters;
  const std::uint64_t crash_permille, crash_in_birth_percent;
  std::vector<child_record> records;
  std::vector<std::size_t> ended_states;  // Of children, in the order of their last end.
  std::vector<duration> due_restarts;     // When a restart became due, by the notices.
  bool root_has_failed = false;
  bool is_watched_from_birth = false;  // Every restart has its notice.
  // So many of due_restarts it has judged before its end, when all was at rest.
  std::optional<std::size_t> judged;
  bool is_over = false;  // No crash is planned any more.

  [[nodiscard]] bool crashes() { return !is_over && here.below(1000) < crash_permille; }
};

class child : public actor {
public:
  child(state* in, std::size_t number) : in_{in}, number_{number} {
    child_record& mine = record();
    incarnation_ = ++mine.births;
    in_->here.check(mine.living == 0, "child {} is born while its last incarnation lives", number_);
    in_->here.check(mine.side_tasks == 0,
                    "child {} is born while a side task of the last one lives", number_);
    bool is_first = incarnation_ == 1;
    if (!is_first && !in_->is_over && in_->here.percent(in_->crash_in_birth_percent)) {
      throw planned_crash{};
    }
    ++mine.living;
  }
  child(const child&) = delete;
  child& operator=(const child&) = delete;
  ~child() {
    --record().living;
    in_->ended_states.push_back(number_);
  }

  void on_start() {
    self(this).send_every(1ms + in_->here.some_time(), tick{incarnation_});
    self().spawn([this]() -> task<> { return linger(); });
    if (incarnation_ > 1 && in_->crashes()) throw planned_crash{};
  }

  void on(letter<plain> m) {
    check_alone();
    m.begin();
    if (in_->crashes()) throw planned_crash{};
  }
  task<> on(letter<slow> m) {
    alive frame;
    check_alone();
    m.begin();
    is_busy_ = true;
    co_await sleep_for(in_->here.some_time());
    is_busy_ = false;
    if (in_->crashes()) throw planned_crash{};
  }
  void on(tick m) {
    check_alone();
    in_->here.check(m.incarnation == incarnation_,
                    "child {}, incarnation {}, gets a tick of incarnation {}", number_,
                    incarnation_, m.incarnation);
  }
  void on(retire) { self().stop(); }

private:
  struct counted {
    explicit counted(std::size_t& in) : count{in} { ++count; }
    ~counted() { --count; }
    counted(const counted&) = delete;
    counted& operator=(const counted&) = delete;
    std::size_t& count;
  };

  child_record& record() const { return in_->records[number_]; }
  void check_alone() const {
    in_->here.check(!is_busy_, "child {} runs two handlers at once", number_);
    in_->here.check(record().births == incarnation_, "child {}: incarnation {} runs after {}",
                    number_, incarnation_, record().births);
  }
  task<> linger() {
    alive frame;
    counted here{record().side_tasks};
    for (;;) {
      co_await sleep_for(5ms + in_->here.some_time());
      if (in_->crashes()) throw planned_crash{};
    }
  }

  state* in_;
  const std::size_t number_;
  std::size_t incarnation_ = 0;
  bool is_busy_ = false;
  alive counted_;
};

// Is told of all ends.
class watcher : public actor {
public:
  struct watch {
    ref<supervisor> root;
    std::vector<ref<child>> whom;
  };

  explicit watcher(state& in) : in_{in} {}

  bool on(watch m) {
    for (const auto& each : m.whom) {
      known_.push_back(each.id());
      self(this).monitor(each);
    }
    root_ = m.root.id();
    self(this).monitor(m.root);
    return true;
  }
  void on(down m) {
    if (m.who == root_) {
      in_.root_has_failed = m.why.kind == exit_kind::failed;
      return;
    }
    auto place = std::find(known_.begin(), known_.end(), m.who);
    in_.here.check(place != known_.end(), "a notice of an actor that is not monitored");
    if (place == known_.end()) return;
    child_record& of = in_.records[static_cast<std::size_t>(place - known_.begin())];
    in_.here.check(of.end_notices == 0, "a notice of child {} after its last one", m.name);
    m.restarts ? ++of.restart_notices : ++of.end_notices;
    bool is_own_end = m.why.kind != exit_kind::restarted && m.why.kind != exit_kind::abandoned;
    if (m.restarts && is_own_end) in_.due_restarts.push_back(in_.here.now());
  }

private:
  state& in_;
  actor_id root_;
  std::vector<actor_id> known_;
  alive counted_;
};

template <class Kind>
task<> send_letter(state& in, const ref<child>& to, std::size_t sender, std::size_t receiver) {
  std::size_t number = in.book.open(sender, receiver);
  letter<Kind> m{in.book, number};
  sending wait{in.book, number};
  auto sent = co_await to.send(take(m)).as_result();
  if (sent) wait.accept();
}

task<> send_letters(state& in, std::vector<ref<child>> to, std::size_t sender) {
  alive frame;
  for (std::size_t i = 0; i < in.letters; ++i) {
    std::size_t receiver = in.here.below(to.size());
    if (in.here.percent(50)) {
      co_await send_letter<plain>(in, to[receiver], sender, receiver);
    } else {
      co_await send_letter<slow>(in, to[receiver], sender, receiver);
    }
    if (in.here.percent(30)) co_await sleep_for(in.here.some_time());
  }
}

// What holds of the whole family when its supervisor has ended.
void check_records(state& in) {
  for (std::size_t i = 0; i < in.children; ++i) {
    const child_record& each = in.records[i];
    in.here.check(each.living == 0, "child {} lives after its supervisor", i);
    in.here.check(each.end_notices == 1, "child {} has {} last notices", i, each.end_notices);
    in.here.check(!in.is_watched_from_birth || each.births <= each.restart_notices + 1,
                  "child {} was born {} times, with {} notices of restarts", i, each.births,
                  each.restart_notices);
    in.here.check(each.births >= each.restart_notices,
                  "child {} was to be born anew {} times, and was born {} times", i,
                  each.restart_notices, each.births);
    in.here.check(each.kind != child_kind::temporary || each.births == 1,
                  "the temporary child {} was born {} times", i, each.births);
  }
}

// Returns: whether more of the first `count` restarts became due within a time than are allowed.
bool is_limit_exceeded(const state& in, std::size_t count, duration slack) {
  const auto& due = in.due_restarts;
  if (in.how.max_restarts == supervision::unlimited) return false;
  for (std::size_t i = in.how.max_restarts; i < count; ++i) {
    if (due[i] - due[i - in.how.max_restarts] <= in.how.within + slack) return true;
  }
  return false;
}

// It gives up if and only if there were more than are allowed.
void check_limit(const state& in) {
  scene& here = in.here;
  bool is_exact = here.turns_take_no_time();
  bool is_exceeded =
      is_limit_exceeded(in, in.due_restarts.size(), is_exact ? duration::zero() : 100ms);
  here.check(is_exceeded || !in.root_has_failed || !in.is_watched_from_birth,
             "the supervisor gives up, and never more than {} restarts were due within {} ns",
             in.how.max_restarts, in.how.within.count());
  // Where a group is restarted together, those that fail meanwhile do not count.
  is_exact = is_exact && in.how.strategy == restart_strategy::one_for_one &&
             in.is_watched_from_birth && in.judged;
  here.check(
      !is_exact || in.root_has_failed || !is_limit_exceeded(in, *in.judged, duration::zero()),
      "the supervisor goes on, and more than {} restarts were due within {} ns",
      in.how.max_restarts, in.how.within.count());
}

task<> program(state& in) {
  alive frame;
  scene& here = in.here;
  auto root = spawn<supervisor>(in.how);
  auto watching = spawn<watcher>(in);
  in.is_watched_from_birth = here.percent(80);
  in.is_over = in.is_watched_from_birth;
  std::vector<ref<child>> children;
  for (std::size_t i = 0; i < in.children; ++i) {
    child_options how;
    how.kind = static_cast<child_kind>(here.below(3));
    if (here.percent(50)) how.actor.capacity = static_cast<std::uint16_t>(here.between(1, 8));
    in.records[i].kind = how.kind;
    children.push_back(spawn_child<child>(root, how, &in, i));
    if (!in.is_watched_from_birth && here.percent(15)) here.plan_an_end(weak_ref{children.back()});
  }
  watcher::watch m{root, children};
  co_await watching.ask(take(m));
  in.is_over = false;
  for (const auto& each : children) {
    if (here.percent(15)) here.plan_an_end(weak_ref{each});
  }
  std::vector<join_handle<void>> senders;
  std::size_t count = here.between(1, 3);
  for (std::size_t i = 0; i < count; ++i) {
    senders.push_back(spawn(send_letters, std::ref(in), children, i));
  }
  for (auto& each : senders) co_await each;
  in.is_over = true;
  if (here.percent(50)) {
    co_await sleep_for(30s);  // All restarts are over.
    in.judged = in.due_restarts.size();
  }
  if (here.percent(30)) {
    retire bye;
    co_await children[0].send(bye).as_result();
  }
  if (here.percent(50)) {
    root.stop();
    exit_reason why = co_await root.ended();
    here.check(why.kind != exit_kind::failed || in.how.max_restarts != supervision::unlimited,
               "a supervisor without a limit fails: {}", to_string(why));
  } else {
    auto last = std::move(root);
  }
  children.clear();
  for (const child_record& each : in.records) {
    while (each.end_notices == 0) co_await sleep_for(1ms);
  }
}

}  // namespace

void play_supervision(scene& here) {
  auto& in = here.keep<state>(here);
  sim::node& node = here.add_node();
  node.start([&in]() -> task<> { return program(in); });
  bool is_broken_off = here.percent(20);
  if (is_broken_off) here.break_off(node);
  here.run(10min);
  if (!is_broken_off) {
    check_records(in);
    check_limit(in);
  }
  here.end_world();
  in.book.settle();
}

}  // namespace troupe::scenarios
