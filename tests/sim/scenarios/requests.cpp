// Clients that ask servers, which answer at once, later, through others, or not at all.

#include <chrono>
#include <deque>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <troupe/actor/actor.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sched/timeout.hpp>

#include "ask_book.hpp"
#include "families.hpp"

namespace troupe::scenarios {

using namespace std::chrono_literals;

namespace {

// How a question is answered.
struct at_once {};
struct after_a_wait {};
struct beside_others {};  // An interleaved handler.
struct later {};          // By a reply that is kept.
struct by_another {};     // Delegated.
struct by_asking {};      // By asking another one first.
struct in_a_moment {};    // Put aside first.

template <class How>
struct question {
  std::size_t number = 0;
  alive counted{};
};
struct wake {};  // Answers one that was kept.
struct look {};  // Takes up what was put aside.

struct state {
  explicit state(scene& in)
      : here{in},
        book{in},
        servers(in.between(1, 6)),
        clients(in.between(1, 10)),
        questions(in.between(1, 60)),
        crash_permille(in.percent(30) ? in.between(1, 50) : 0),
        halt_permille(in.percent(20) ? in.between(1, 20) : 0) {}

  scene& here;
  ask_book book;
  const std::size_t servers, clients, questions;
  const std::uint64_t crash_permille, halt_permille;
  bool may_refuse = false;  // Some mailbox does not let wait.
};

class server : public actor {
public:
  explicit server(state& in) : in_{in} {}

  struct meet {
    std::vector<weak_ref<server>> others;
  };
  void on(meet m) { others_ = std::move(m.others); }

  std::int64_t on(question<at_once> m) {
    occupied now{*this};
    in_.book.begin(m.number);
    maybe_crash();
    return ask_book::right_answer(m.number);
  }
  task<std::int64_t> on(question<after_a_wait> m) {
    alive frame;
    occupied now{*this};
    in_.book.begin(m.number);
    co_await sleep_for(in_.here.some_time());
    maybe_crash();
    co_return ask_book::right_answer(m.number);
  }
  task<std::int64_t> on(question<beside_others> m, interleaved) {
    alive frame;
    in_.book.begin(m.number);
    co_await sleep_for(in_.here.some_time());
    maybe_crash();
    co_return ask_book::right_answer(m.number);
  }
  void on(question<later> m, reply<std::int64_t> back) {
    occupied now{*this};
    in_.book.begin(m.number);
    maybe_crash();
    if (in_.here.percent(10)) return;  // Dropped.
    kept_.emplace_back(m.number, std::move(back));
    self(this).send_after(in_.here.some_time(), wake{});
  }
  void on(wake) {
    occupied now{*this};
    if (kept_.empty()) return;
    auto [number, back] = std::move(kept_.front());
    kept_.pop_front();
    back.answer(ask_book::right_answer(number));
  }
  void on(look) { self().unstash(); }
  void on(question<by_another> m, reply<std::int64_t> back) {
    occupied now{*this};
    auto next = some_other();
    if (!next) return;
    next->delegate(question<later>{m.number}, std::move(back));
  }
  task<std::int64_t> on(question<by_asking> m) {
    alive frame;
    occupied now{*this};
    in_.book.begin(m.number);
    auto next = some_other();
    if (next) {
      std::size_t number = in_.book.open({.may_be_full = in_.may_refuse});
      question<at_once> mine{number};
      asking wait{in_.book, number};
      auto got = co_await next->ask(take(mine), no_deadline).as_result();
      wait.end(got);
    }
    maybe_crash();
    co_return ask_book::right_answer(m.number);
  }
  std::int64_t on(question<in_a_moment> m) {
    occupied now{*this};
    if (in_.here.percent(50)) {
      self().stash(std::move(m));
      self(this).send_after(in_.here.some_time(), look{});
      return 0;
    }
    in_.book.begin(m.number);
    return ask_book::right_answer(m.number);
  }

private:
  struct occupied {
    explicit occupied(server& by) : of{by} {
      of.in_.here.check(!of.is_busy_, "a server runs two handlers at once");
      of.is_busy_ = true;
    }
    ~occupied() { of.is_busy_ = false; }
    occupied(const occupied&) = delete;
    occupied& operator=(const occupied&) = delete;
    server& of;
  };

  std::optional<ref<server>> some_other() {
    if (others_.empty()) return std::nullopt;
    return others_[in_.here.below(others_.size())].lock();
  }
  void maybe_crash() const {
    if (in_.here.below(1000) < in_.crash_permille) throw planned_crash{};
    if (in_.here.below(1000) < in_.halt_permille) self().stop();
  }

  state& in_;
  std::vector<weak_ref<server>> others_;
  std::deque<std::pair<std::size_t, reply<std::int64_t>>> kept_;
  bool is_busy_ = false;
  alive counted_;
};

// A limit, and what it promises.
std::pair<ask_limit, ask_book::promise> some_limit(state& in) {
  ask_book::promise given{
      .limit = 5s, .lateness = ask_book::coarse(5s), .may_be_full = in.may_refuse};
  ask_limit limit{};
  switch (in.here.below(5)) {
    case 0:
      limit = no_deadline;
      given.limit.reset();
      break;
    case 1:
    case 2:
      given.limit = 1ms + in.here.some_time();
      given.lateness = ask_book::exact;
      limit = within(*given.limit);
      break;
    default:
      break;
  }
  return {limit, given};
}

template <class How>
task<> ask_in_some_way(state& in, const ref<server>& to) {
  auto [limit, given] = some_limit(in);
  if (std::is_same_v<How, by_another>) given.may_be_full = true;  // Delegating does not wait.
  std::size_t number = in.book.open(given);
  asking wait{in.book, number};
  question<How> m{number};
  if (in.here.percent(20)) {
    auto patience = in.here.some_time();
    auto got = co_await timeout(patience, to.ask(take(m), limit)).as_result();
    if (got || got.error() != errc::timed_out) wait.end(got);
  } else {
    auto got = co_await to.ask(take(m), limit).as_result();
    wait.end(got);
  }
}

task<> ask_one(state& in, const ref<server>& to) {
  switch (in.here.below(7)) {
    case 0:
      return ask_in_some_way<at_once>(in, to);
    case 1:
      return ask_in_some_way<after_a_wait>(in, to);
    case 2:
      return ask_in_some_way<beside_others>(in, to);
    case 3:
      return ask_in_some_way<later>(in, to);
    case 4:
      return ask_in_some_way<by_another>(in, to);
    case 5:
      return ask_in_some_way<by_asking>(in, to);
    default:
      return ask_in_some_way<in_a_moment>(in, to);
  }
}

task<> ask_many(state& in, std::vector<ref<server>> whom) {
  alive frame;
  for (std::size_t i = 0; i < in.questions; ++i) {
    co_await ask_one(in, whom[in.here.below(whom.size())]);
    if (in.here.percent(30)) co_await sleep_for(in.here.some_time());
  }
}

actor_options some_options(state& in) {
  actor_options how;
  if (in.here.percent(50)) how.capacity = static_cast<std::uint16_t>(in.here.between(1, 8));
  if (in.here.percent(20)) {
    how.when_full = overflow::reject;
    in.may_refuse = true;
  }
  how.drain = in.here.percent(30);
  return how;
}

task<> program(state& in) {
  alive frame;
  scene& here = in.here;
  std::vector<ref<server>> servers;
  std::vector<weak_ref<server>> known;
  for (std::size_t i = 0; i < in.servers; ++i) {
    servers.push_back(spawn<server>(some_options(in), in));
    known.emplace_back(servers.back());
  }
  for (auto& each : servers) {
    server::meet m{known};
    co_await each.send(take(m));
  }
  for (auto& each : known) {
    if (here.percent(15)) here.plan_an_end(each);
  }
  std::vector<join_handle<void>> clients;
  for (std::size_t i = 0; i < in.clients; ++i) {
    clients.push_back(spawn(ask_many, std::ref(in), servers));
  }
  if (here.percent(50)) servers.clear();
  for (auto& each : clients) {
    if (here.percent(10)) {
      co_await sleep_for(here.some_time());
      co_await each.cancel();
    } else {
      co_await each;
    }
  }
}

}  // namespace

void play_requests(scene& here) {
  auto& in = here.keep<state>(here);
  sim::node& node = here.add_node();
  node.start([&in]() -> task<> { return program(in); });
  if (here.percent(20)) here.break_off(node);
  here.run(10min);
  here.end_world();
}

}  // namespace troupe::scenarios
