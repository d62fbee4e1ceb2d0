#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/actor/actor.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/pal/thread.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/sync/event.hpp>

#include <sched/two_workers.hpp>
#include <sched/virtual_worker.hpp>

namespace troupe {

using namespace std::chrono_literals;

namespace {

struct never {
  event* until;
};
struct nothing {};
// Asks the one behind, and waits for its answer.
struct pass_on {
  event* until;
};
struct pass_for_ever {
  event* until;
};
struct pass_late {
  event* until;
  long* waited_ms;
};

class silent : public actor {
public:
  task<int> on(never m) {
    co_await m.until->wait();
    co_return 1;
  }
  void on(nothing) {}
};

class front : public actor {
public:
  explicit front(ref<silent> behind) : behind_{std::move(behind)} {}
  task<long> on(pass_on m) { return measure(m.until); }
  task<long> on(pass_for_ever m) { return measure(m.until); }
  task<> on(pass_late m) {
    co_await sleep_for(8s);
    *m.waited_ms = co_await measure(m.until);
  }

private:
  // How long it was let wait, in ms.
  task<long> measure(event* until) {
    time_point before = now();
    (void)co_await behind_.ask(never{until}).as_result();
    co_return std::chrono::ceil<std::chrono::milliseconds>(now() - before).count();
  }
  ref<silent> behind_;
};

// Asks the one it is told of, in its handler.
struct knows {
  std::optional<std::pair<ref<class ring_member>, int>> next;
};
// Lets two workers go on at the same moment, if they both come.
class meeting {
public:
  void wait() noexcept {
    there_.fetch_add(1);
    for (int patience = 100'000; patience > 0 && there_.load() < 2; --patience) pal::spin_hint();
  }

private:
  pal::atomic<int> there_{0};
};
struct go_round {
  using reply = std::string;
  event* first = nullptr;  // Waited for before it asks.
  meeting* with = nullptr;
};
struct parked {
  using reply = std::string;
};
class ring_member : public actor {
public:
  void on(knows m) { next_ = std::move(m.next); }
  task<std::string> on(go_round m) {
    if (m.first != nullptr) co_await m.first->wait();
    if (m.with != nullptr) m.with->wait();
    try {
      switch (next_->second) {
        case 0:
          co_return co_await next_->first.ask(go_round{});
        case 1:
          co_return co_await timeout(100ms, next_->first.ask(go_round{}));
        default:
          co_return co_await next_->first.ask(parked{});
      }
    } catch (const system_error& e) {
      co_return std::string{e.what()};
    }
  }
  // Answers when something else has come.
  void on(parked, reply<std::string> back) { back_.emplace(std::move(back)); }
  void on(std::string text) { std::exchange(back_, std::nullopt)->answer(std::move(text)); }
  void on(nothing) {}
  // Sends into the next one's full mailbox.
  task<std::string> on(never m) {
    co_await m.until->wait();
    auto outcome = co_await next_->first.send(nothing{}).as_result();
    co_return outcome.has_error() ? outcome.error().message() : "sent";
  }

private:
  std::optional<std::pair<ref<ring_member>, int>> next_;
  std::optional<reply<std::string>> back_;
};

ref<ring_member> member(const char* name, std::uint16_t capacity = 16) {
  return spawn<ring_member>(actor_options{.name = name, .capacity = capacity});
}

task<> tie(ref<ring_member> from, ref<ring_member> to, int how = 0) {
  knows news{std::pair{std::move(to), how}};
  co_await from.send(take(news));
}

task<> untie(ref<ring_member> from) {
  knows nobody;
  co_await from.send(take(nobody));
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(deadline_, test::virtual_worker)

BOOST_AUTO_TEST_CASE(ask_deadline) {
  rt.block_on([]() -> task<> {
    event until;
    auto s = spawn<silent>();
    time_point before = now();
    auto outcome = co_await s.ask(never{&until}).as_result();
    BOOST_TEST((outcome.error() == ask_errc::timeout));
    duration waited = now() - before;
    BOOST_TEST((waited >= 5s));
    BOOST_TEST((waited <= 5250ms));  // 5 % late at most.
    auto queued = co_await s.ask(never{&until}).as_result();
    BOOST_TEST((queued.error() == ask_errc::expired));  // And never run.
    until.set();
    s.stop();
    co_await s.ended();
  });
}

BOOST_AUTO_TEST_CASE(ask_deadline_of_its_own_is_exact) {
  rt.block_on([]() -> task<> {
    event until;
    auto s = spawn<silent>();
    time_point before = now();
    (void)co_await s.ask(never{&until}, within(30ms)).as_result();
    BOOST_TEST((now() - before >= 30ms));
    BOOST_TEST((now() - before <= 31ms));
    (void)co_await s.ask<never>(within(1s), &until).as_result();
    BOOST_TEST((now() - before <= 1032ms));
    until.set();
  });
}

BOOST_AUTO_TEST_CASE(ask_deadline_is_inherited_by_what_a_handler_asks) {
  rt.block_on([]() -> task<> {
    event until;
    auto s = spawn<silent>();
    auto f = spawn<front>(s);
    time_point before = now();
    (void)co_await f.ask(pass_on{&until}, within(40ms)).as_result();
    BOOST_TEST((now() - before <= 41ms));
    // Its handler has given up with it, and not 5 s later: it is free again.
    event open;
    open.set();
    (void)co_await f.ask(pass_on{&open}, within(1ms)).as_result();
    BOOST_TEST((now() - before <= 43ms));
    auto answered = co_await f.ask(pass_on{&open}, within(1ms)).as_result();
    BOOST_TEST((answered.has_value() || answered.error() == ask_errc::timeout));
    until.set();
  });
}

// Limits above the default are inherited as a number of sweeps, which have to go on meanwhile.
BOOST_AUTO_TEST_CASE(ask_deadline_that_is_long_is_in_time_for_who_asks_late) {
  rt.block_on([]() -> task<> {
    event until;
    long waited_ms = 0;
    auto s = spawn<silent>();
    auto f = spawn<front>(s);
    (void)co_await f.ask<pass_late>(within(10s), &until, &waited_ms).as_result();
    co_await sleep_for(20s);
    BOOST_TEST(waited_ms >= 2000);
    BOOST_TEST(waited_ms <= 2500);  // 5 % of the limit late at most.
    until.set();
    s.stop();
    co_await s.ended();
  });
}

// Neither what spawn() starts, nor a side task; each has the default.
BOOST_AUTO_TEST_CASE(ask_deadline_is_not_inherited_by_tasks_that_a_handler_starts) {
  class starter : public actor {
  public:
    starter(ref<silent> behind, std::vector<long>& waited)
        : behind_{std::move(behind)}, waited_{&waited} {}
    task<> on(pass_on m) {
      self().spawn(&starter::measure, behind_, m.until, waited_);
      spawn(&starter::measure, behind_, m.until, waited_).detach();
      co_await m.until->wait();  // It runs while they wait.
    }

  private:
    static task<> measure(ref<silent> behind, event* until, std::vector<long>* waited) {
      time_point before = now();
      (void)co_await behind.ask(never{until}).as_result();
      waited->push_back(std::chrono::ceil<std::chrono::milliseconds>(now() - before).count());
    }
    ref<silent> behind_;
    std::vector<long>* waited_;
  };
  rt.block_on([]() -> task<> {
    event until;
    std::vector<long> waited;
    auto s = spawn<silent>();
    auto st = spawn<starter>(s, waited);
    (void)co_await st.ask(pass_on{&until}, within(40ms)).as_result();
    co_await sleep_for(6s);
    BOOST_REQUIRE(waited.size() == 2u);
    for (long each : waited) BOOST_TEST((each >= 5000 && each <= 5250));
    until.set();
    s.stop();
    co_await s.ended();
  });
}

BOOST_AUTO_TEST_CASE(ask_deadline_none_has_to_be_spelled_out_and_is_not_inherited) {
  rt.block_on([]() -> task<> {
    event until;
    auto s = spawn<silent>();
    auto f = spawn<front>(s);
    // What the handler asks gets the default; that its caller waits for ever is not passed on.
    long waited_ms = co_await f.ask(pass_for_ever{&until}, no_deadline);
    BOOST_TEST(waited_ms >= 5000);
    BOOST_TEST(waited_ms <= 5250);
    until.set();
    auto other = spawn<silent>();
    event much_later;
    auto patient = spawn(
        [&]() -> task<int> { co_return co_await other.ask(never{&much_later}, no_deadline); });
    co_await sleep_for(60s);
    BOOST_TEST(!patient.done());
    much_later.set();
    BOOST_TEST((co_await patient) == 1);
  });
}

BOOST_AUTO_TEST_CASE(mailbox_send_has_the_deadline_in_force) {
  rt.block_on([]() -> task<> {
    event until;
    auto s = spawn<silent>(actor_options{.capacity = 1});
    auto busy = spawn([&]() -> task<> { (void)co_await s.ask(never{&until}, no_deadline); });
    co_await sleep_for(1ms);
    co_await s.send(nothing{});
    time_point before = now();
    auto outcome = co_await s.send(nothing{}).as_result();
    BOOST_TEST((outcome.error() == ask_errc::mailbox_full));
    BOOST_TEST((now() - before >= 5s));
    BOOST_TEST((now() - before <= 5250ms));
    until.set();
    co_await busy;
  });
}

BOOST_AUTO_TEST_CASE(ask_cycle) {
  rt.block_on([]() -> task<> {
    auto a = member("bank"), b = member("audit"), c = member("clerk");
    co_await tie(a, b);
    co_await tie(b, c);
    co_await tie(c, a);
    time_point before = now();
    std::string told = co_await a.ask(go_round{});
    BOOST_TEST(told.starts_with("clerk -> bank -> audit -> clerk (at "), told);
    BOOST_TEST(told.ends_with("deadline_test.cpp:103): the wait would close a cycle of actors that "
                              "wait for each other (not run) [troupe.ask:5]"),
               told);
    BOOST_TEST((now() == before));
    for (auto* each : {&a, &b, &c}) co_await untie(*each);
  });
}

// Goal:   both have asked before either could see the other's wait: a sweep finds it.
// Method: two workers on a virtual clock, many rounds; whoever comes second mostly sees it at once.
BOOST_AUTO_TEST_CASE(ask_cycle_closed_by_two_at_once_is_found_within_200_ms) {
  pal::virtual_clock both_see;
  runtime_config config = test::two_workers::config();
  config.clock = &both_see;
  config.network = false;
  runtime pair{config};
  pair.block_on([]() -> task<> {
    for (int round = 0; round < 200; ++round) {
      auto a = member("a"), b = member("b");
      co_await tie(a, b);
      co_await tie(b, a);
      event both;
      meeting there;
      auto ask = [&](ref<ring_member> whom) -> task<std::string> {
        co_return co_await whom.ask(go_round{&both, &there});
      };
      auto first = spawn(ask, a), second = spawn(ask, b);
      time_point before = now();
      both.set();
      std::string one = co_await first, two = co_await second;
      bool found = one.find("cycle") != std::string::npos || two.find("cycle") != std::string::npos;
      BOOST_TEST(found);
      BOOST_CHECK((now() - before <= 250ms));  // Sweeps are a fortieth of 5 s apart.
      co_await untie(a);
      co_await untie(b);
    }
  });
}

BOOST_AUTO_TEST_CASE(ask_cycle_does_not_count_a_parked_reply_nor_a_race) {
  rt.block_on([]() -> task<> {
    auto a = member("a"), b = member("b");
    co_await tie(b, a, 2);  // b asks a, which keeps the reply;
    co_await tie(a, b, 1);  // a asks b, with a limit around it.
    auto waits = spawn([&]() -> task<std::string> { co_return co_await b.ask(go_round{}); });
    co_await sleep_for(1ms);
    std::string told = co_await a.ask(go_round{});
    BOOST_TEST(told.find("cycle") == std::string::npos);
    co_await a.send(std::string{"at last"});
    BOOST_TEST((co_await waits) == "at last");
    co_await untie(a);
    co_await untie(b);
  });
}

BOOST_AUTO_TEST_CASE(ask_cycle_counts_waits_for_room) {
  rt.block_on([]() -> task<> {
    auto a = member("a", 1), b = member("b", 1);
    co_await tie(a, b);
    co_await tie(b, a);
    event begin;
    auto asks = spawn([&]() -> task<std::string> { co_return co_await a.ask(go_round{&begin}); });
    auto sends = spawn([&]() -> task<std::string> { co_return co_await b.ask(never{&begin}); });
    co_await sleep_for(1ms);
    co_await a.send(nothing{});  // Its mailbox is full now.
    begin.set();
    std::string of_a = co_await asks, of_b = co_await sends;
    bool found = of_a.find("cycle") != std::string::npos || of_b.find("cycle") != std::string::npos;
    BOOST_TEST(found);
    co_await untie(a);
    co_await untie(b);
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
