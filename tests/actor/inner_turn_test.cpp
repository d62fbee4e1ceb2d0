#include <chrono>
#include <cstdint>
#include <source_location>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/actor/actor.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/pal/thread.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/yield.hpp>

#include <collected_failures.hpp>
#include <sched/two_workers.hpp>
#include <sched/virtual_worker.hpp>
#include <threads.hpp>

// Requests to plain handlers of actors that sleep, which run within the turn of who asks.

namespace troupe {

using namespace std::chrono_literals;

namespace {

struct next {};
struct name_of {};
struct fail {};
struct compute {
  int steps;
};
struct later {
  int value;
};
struct release {};
struct begin {};
struct start_side_task {};
struct write_to_oneself {};
struct stop_oneself {};

// Answers at once, or when it is told to.
class desk : public actor {
public:
  int on(next) { return ++last_; }
  std::string on(name_of) { return self().name(); }
  int on(compute m) {
    for (int i = 0; i < m.steps; ++i) pal::spin_hint();
    return ++last_;
  }
  int on(fail) { throw std::runtime_error{"broken"}; }
  void on(later m, reply<int> back) { waiting_.emplace_back(m.value, std::move(back)); }
  int on(begin m) {  // Put aside at first.
    if (!is_open_) self().stash(std::move(m));
    return ++last_;
  }
  int on(start_side_task) {
    self().spawn([this]() -> task<> {
      co_await yield();
      ++last_;
    });
    return last_;
  }
  // What it sends to itself comes after this.
  int on(write_to_oneself) {
    (void)self(this).address().try_send(next{});
    return last_;
  }
  int on(stop_oneself) {
    self().stop();
    return ++last_;
  }
  void on(release) {
    for (auto& [value, back] : std::exchange(waiting_, {})) back.answer(value);
    is_open_ = true;
    self().unstash();
  }
  task<> on_stop() {
    co_await yield();
    last_ = -1;
  }

private:
  int last_ = 0;
  bool is_open_ = false;
  std::vector<std::pair<int, reply<int>>> waiting_;
};

class caller : public actor {
public:
  explicit caller(ref<desk> to) : to_{std::move(to)} {}
  task<std::string> on(name_of) {
    std::string before = self().name();
    std::string there = co_await to_.ask(name_of{});
    co_return before + " " + there + " " + self().name();
  }
  // R5: the task that it begins gets its turn after the request, too.
  task<int> on(begin) {
    co_await yield();
    self().spawn([this]() -> task<> {
      co_await yield();
      ++done_;
    });
    int first = co_await to_.ask(next{});
    co_await yield();
    co_return first;
  }
  int on(next) { return done_; }

private:
  ref<desk> to_;
  int done_ = 0;
};

// A worker keeps an actor that its tasks have asked so often.
constexpr int asks_to_be_kept = 100;

task<> make_kept(ref<desk> d) {
  for (int i = 0; i < asks_to_be_kept; ++i) (void)co_await d.ask(name_of{});
}

ref<desk> named(const char* name) {
  actor_options options;
  options.name = name;
  return spawn<desk>(options);
}

template <class Act>
task<std::uint64_t> turns_of(runtime& rt, Act act) {
  std::uint64_t before = rt.counters().turns;
  co_await act();
  co_return rt.counters().turns - before;
}

// ended() that tells when it has begun to watch.
class told_watch {
public:
  static constexpr const char* name = "the end of an actor (told_watch)";

  told_watch(const ref<desk>& whom, event& watches) : end_{whom.ended()}, watches_{&watches} {}

  void start(std::source_location where) {
    end_.start(where);
    watches_->set();
  }
  bool poll() noexcept { return end_.poll(); }
  bool enlist(waker key) noexcept { return end_.enlist(key); }
  void delist() noexcept { end_.delist(); }
  exit_reason take() noexcept { return end_.take(); }

private:
  detail::end_operation end_;
  event* watches_;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(inner_turn_, test::virtual_worker)

BOOST_AUTO_TEST_CASE(many_requests_take_few_turns) {
  rt.block_on([this]() -> task<> {
    auto d = spawn<desk>();
    co_await d.ask(next{});
    auto few = [&]() -> task<> {
      for (int i = 0; i < 1000; ++i) (void)co_await d.ask(next{});
    };
    BOOST_TEST((co_await turns_of(rt, few)) < 50u);
    // One with a limit of its own can be left while its handler computes: a turn each at least.
    auto many = [&]() -> task<> {
      for (int i = 0; i < 1000; ++i) (void)co_await d.ask(next{}, within{1h});
    };
    BOOST_TEST((co_await turns_of(rt, many)) >= 1000u);
    BOOST_TEST((co_await d.ask(next{})) == 2002);
  });
}

BOOST_AUTO_TEST_CASE(who_asks_without_end_gives_way) {
  rt.block_on([]() -> task<> {
    auto d = spawn<desk>();
    bool is_over = false;
    auto other = spawn([&]() -> task<> {
      for (int i = 0; i < 10; ++i) co_await yield();
      is_over = true;
    });
    int asked = 0;
    while (!is_over) asked = co_await d.ask(next{});
    BOOST_TEST(asked < 128 * 20);
    co_await other;
  });
}

// About 1 ms of them, whatever was left of the budget when they began.
BOOST_AUTO_TEST_CASE(who_asks_for_long_work_gives_way_too) {
  class worker : public actor {
  public:
    explicit worker(pal::virtual_clock& clock) : clock_{&clock} {}
    void on(next) { (void)clock_->jump_to(clock_->now() + 100us); }

  private:
    pal::virtual_clock* clock_;
  };
  for (bool begins_odd : {false, true}) {
    rt.block_on([this, begins_odd]() -> task<> {
      auto w = spawn<worker>(clock);
      co_await w.ask(next{});
      bool is_over = false;
      auto other = spawn([&]() -> task<> {
        is_over = true;
        co_return;
      });
      event is_set;
      is_set.set();
      if (begins_odd) co_await is_set.wait();
      int asked = 0;
      for (; !is_over && asked < 64; ++asked) co_await w.ask(next{});
      BOOST_TEST(asked <= 24);
      co_await other;
    });
  }
}

BOOST_AUTO_TEST_CASE(each_is_itself) {
  rt.block_on([]() -> task<> {
    auto d = named("desk");
    actor_options options;
    options.name = "caller";
    auto c = spawn<caller>(options, d);
    BOOST_TEST((co_await c.ask(name_of{})) == "caller desk caller");
    BOOST_TEST((co_await c.ask(begin{})) == 1);
    co_await sleep_for(1us);
    BOOST_TEST((co_await c.ask(next{})) == 1);
    BOOST_TEST((co_await d.ask(start_side_task{})) == 1);
    co_await sleep_for(1us);
    BOOST_TEST((co_await d.ask(next{})) == 3);
  });
}

BOOST_AUTO_TEST_CASE(a_failure_reaches_who_asks_and_ends_the_actor) {
  test::collected_failures expected;
  rt.block_on([]() -> task<> {
    for (bool is_kept : {false, true}) {
      auto d = spawn<desk>();
      (void)co_await d.ask(next{});
      if (is_kept) co_await make_kept(d);
      auto answer = co_await d.ask(fail{}).as_result();
      BOOST_TEST((answer.has_error() && answer.error() == ask_errc::receiver_failed));
      exit_reason why = co_await d.ended();
      BOOST_TEST((why.kind == exit_kind::failed));
    }
  });
  BOOST_TEST(expected.texts().size() == 2u);
}

// Its words reach who asks, whether its handler ran within the caller's turn or not.
BOOST_AUTO_TEST_CASE(a_failure_says_why) {
  test::collected_failures expected;
  rt.block_on([]() -> task<> {
    for (bool is_exact : {false, true}) {
      auto d = spawn<desk>();
      (void)co_await d.ask(next{});
      std::string text;
      try {
        ask_limit limit;
        if (is_exact) limit = within{1h};
        (void)co_await d.ask(fail{}, limit);
      } catch (const system_error& error) {
        BOOST_TEST((error.code() == ask_errc::receiver_failed));
        text = error.what();
      }
      BOOST_TEST(text.find("broken") != std::string::npos, text);
      (void)co_await d.ended();  // Its failure has been collected.
    }
  });
}

BOOST_AUTO_TEST_CASE(what_is_kept_or_put_aside_is_answered_later) {
  rt.block_on([]() -> task<> {
    auto d = spawn<desk>();
    auto kept = spawn([d]() -> task<int> { co_return co_await d.ask(later{7}); });
    auto aside = spawn([d]() -> task<int> { co_return co_await d.ask(begin{}); });
    co_await sleep_for(1us);
    BOOST_TEST(!kept.done());
    BOOST_TEST(!aside.done());
    co_await d.send(release{});
    BOOST_TEST((co_await kept) == 7);
    BOOST_TEST((co_await aside) == 2);  // It has run twice.
  });
}

BOOST_AUTO_TEST_CASE(what_such_a_turn_leaves_to_do_is_done_after_it) {
  rt.block_on([]() -> task<> {
    for (bool is_kept : {false, true}) {
      auto d = spawn<desk>();
      if (is_kept) co_await make_kept(d);
      BOOST_TEST((co_await d.ask(write_to_oneself{})) == 0);
      co_await sleep_for(1us);
      BOOST_TEST((co_await d.ask(next{})) == 2);
      auto aside = spawn([d]() -> task<int> { co_return co_await d.ask(begin{}); });
      co_await sleep_for(1us);
      if (is_kept) co_await make_kept(d);
      co_await d.ask(release{});
      BOOST_TEST((co_await aside) == 4);
      if (is_kept) co_await make_kept(d);
      BOOST_TEST((co_await d.ask(stop_oneself{})) == 5);
      exit_reason why = co_await d.ended();
      BOOST_TEST((why.kind == exit_kind::stopped));
    }
  });
}

// Goal:   an actor that such a turn ends, whose on_stop() is a task, takes nothing from the turn
//         around it: the caller, which has just begun its first side task, is queued after it.
BOOST_AUTO_TEST_CASE(one_that_ends_the_actor_leaves_the_callers_turn_as_it_was) {
  class failing : public actor {
  public:
    explicit failing(bool waits) : waits_{waits} {}
    int on(next) { throw std::runtime_error{"no"}; }
    task<> on_stop() {
      if (waits_) co_await sleep_for(1ms);
    }

  private:
    bool waits_;
  };
  class asker : public actor {
  public:
    explicit asker(ref<failing> other) : other_{std::move(other)} {}
    task<int> on(begin) {
      co_await sleep_for(1ms);
      (void)self(this).send_after(1ms, release{});
      (void)co_await other_.ask(next{}).as_result();
      co_await sleep_for(5ms);
      co_return 1;
    }
    void on(release) { is_told_ = true; }
    int on(name_of) { return is_told_ ? 2 : 0; }

  private:
    ref<failing> other_;
    bool is_told_ = false;
  };
  test::collected_failures failures;
  for (bool waits : {false, true}) {
    rt.block_on([waits]() -> task<> {
      auto a = spawn<asker>(spawn<failing>(waits));
      BOOST_TEST((co_await a.ask(begin{})) == 1);
      BOOST_TEST((co_await a.ask(name_of{})) == 2);
    });
  }
}

// Its last ref goes while a worker keeps it.
BOOST_AUTO_TEST_CASE(a_kept_actor_ends_when_nobody_can_reach_it) {
  rt.block_on([]() -> task<> {
    auto d = spawn<desk>();
    co_await make_kept(d);
    weak_ref<desk> seen{d};
    {
      ref<desk> last = std::move(d);
    }
    co_await sleep_for(1us);
    BOOST_TEST(!seen.lock().has_value());
  });
}

BOOST_AUTO_TEST_CASE(mail_sent_before_is_handled_before) {
  rt.block_on([]() -> task<> {
    auto d = spawn<desk>();
    for (int i = 0; i < 100; ++i) {
      co_await d.send(next{});
      BOOST_TEST((co_await d.ask(next{})) == 2 * i + 2);
    }
  });
}

// A mailbox has no part in it, so that its size is nothing to it.
BOOST_AUTO_TEST_CASE(a_small_mailbox_is_no_hindrance) {
  rt.block_on([this]() -> task<> {
    actor_options options;
    options.capacity = 1;
    auto d = spawn<desk>(options);
    auto few = [&]() -> task<> {
      for (int i = 0; i < 1000; ++i) (void)co_await d.ask(next{});
    };
    BOOST_TEST((co_await turns_of(rt, few)) < 50u);
  });
}

BOOST_AUTO_TEST_CASE(a_pinned_actor_gets_its_turns_on_its_own_worker) {
  rt.block_on([this]() -> task<> {
    actor_options options;
    options.pinned = true;
    auto d = spawn<desk>(options);
    auto many = [&]() -> task<> {
      for (int i = 0; i < 1000; ++i) (void)co_await d.ask(next{});
    };
    BOOST_TEST((co_await turns_of(rt, many)) >= 1000u);
  });
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(inner_turn_seeded_)

// A seed decides the order of all turns: none is within another.
BOOST_AUTO_TEST_CASE(a_seed_sees_each_turn) {
  pal::virtual_clock clock;
  runtime_config config;
  config.workers = 1;
  config.clock = &clock;
  config.network = false;
  config.seed = 7;
  runtime rt{config};
  rt.block_on([&]() -> task<> {
    auto d = spawn<desk>();
    auto many = [&]() -> task<> {
      for (int i = 0; i < 1000; ++i) (void)co_await d.ask(next{});
    };
    BOOST_TEST((co_await turns_of(rt, many)) >= 1000u);
  });
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(inner_turn_race_, test::two_workers)

// Goal:   each request is answered once, whether its handler ran within the caller's turn or not,
//         and whether the answer comes at once, from a kept reply<T>, or after it was put aside.
// Method: several callers on two workers; one who releases all the time what was kept.
BOOST_AUTO_TEST_CASE(every_request_is_answered) {
  const int rounds = static_cast<int>(test::rounds(3'000));
  int right = rt.block_on([rounds]() -> task<int> {
    auto d = spawn<desk>();
    pal::atomic<bool> is_over{false};
    auto releasing = spawn([&]() -> task<> {
      while (!is_over.load()) {
        co_await d.send(release{});
        co_await yield();
      }
    });
    auto ask = [](ref<desk> to, int count) -> task<int> {
      int answered = 0;
      for (int i = 0; i < count; ++i) {
        int value = co_await to.ask(later{i});
        int number = co_await to.ask(next{});
        if (value == i && number > 0) ++answered;
      }
      co_return answered;
    };
    std::vector<join_handle<int>> asking;
    for (int i = 0; i < 4; ++i) asking.push_back(spawn(ask, d, rounds));
    int sum = 0;
    for (auto& each : asking) sum += co_await each;
    is_over.store(true);
    co_await releasing;
    co_return sum;
  });
  BOOST_TEST(right == 4 * rounds);
}

// Goal:   an actor that a worker keeps serves everybody, one message at a time and in order, and
//         ends as it should, whoever takes it from its keeper at whatever moment.
// Method: many actors, one after the other, each asked until it is kept; then a foreign thread
//         writes to it, stops it or drops a ref, while its keeper asks on, and fails it. Every
//         other time its handlers compute for a while, for him to meet the keeper within one.
BOOST_AUTO_TEST_CASE(a_kept_actor_is_everybodys) {
  enum class deed { write, stop, fail_it };
  const int rounds = static_cast<int>(test::rounds(2'000));
  test::collected_failures expected;
  pal::atomic<ref<desk>*> given{nullptr};
  auto deed_of = [](int round) { return static_cast<deed>(round % 3); };

  auto keeper = [&]() -> task<int> {
    int right = 0;
    for (int round = 0; round < rounds; ++round) {
      auto d = spawn<desk>();
      event watches;
      auto end = spawn(
          [d, &watches]() -> task<exit_kind> { co_return (co_await told_watch{d, watches}).kind; });
      co_await watches.wait();
      int asked = 0;
      for (; asked < asks_to_be_kept; ++asked) (void)co_await d.ask(next{});
      given.store(&d);
      bool is_gone = false;
      for (; given.load() != nullptr; ++asked) {
        auto answer = co_await d.ask(compute{round % 2 * asked % 256}).as_result();
        is_gone |= answer.has_error();
      }
      bool is_well = true;
      if (deed_of(round) == deed::write) {
        is_well = (co_await d.ask(next{})) == asked + 3 + 1 && !is_gone;
        d.stop();
      } else if (deed_of(round) == deed::fail_it) {
        (void)co_await d.ask(fail{}).as_result();
      }
      exit_kind wanted = deed_of(round) == deed::fail_it ? exit_kind::failed : exit_kind::stopped;
      exit_kind seen = co_await end;
      if (is_well && seen == wanted) ++right;
    }
    co_return right;
  };
  auto stranger = [&] {
    for (int round = 0; round < rounds; ++round) {
      test::wait_until([&] { return given.load() != nullptr; });
      ref<desk> d = *given.load();
      bool is_late = deed_of(round) == deed::fail_it;  // It writes while the actor fails.
      if (is_late) given.store(nullptr);
      if (deed_of(round) == deed::stop) {
        d.stop();
      } else {
        for (int i = 0; i < 3; ++i) (void)d.try_send(next{});
      }
      if (!is_late) given.store(nullptr);
    }
  };
  test::race(2, [&](std::size_t i) {
    if (i == 0) {
      BOOST_TEST(rt.block_on(keeper) == rounds);
    } else {
      stranger();
    }
  });
}

// Goal:   who has woken a kept actor from outside, and handed its turn to the keeper, is waited for
//         at the end of the runtime: he looks at the keeper once more.
// Method: a runtime that ends as soon as its kept actor has got what a foreign thread has sent.
BOOST_AUTO_TEST_CASE(a_runtime_ends_while_others_wake_its_kept_actors) {
  class listener : public actor {
  public:
    int on(next) const {
      for (int i = 0; i < 100; ++i) pal::spin_hint();  // It is met within its handler.
      return heard_;
    }
    void on(begin) { ++heard_; }

  private:
    int heard_ = 0;
  };
  const int rounds = static_cast<int>(test::rounds(300));
  int right = 0;
  for (int round = 0; round < rounds; ++round) {
    pal::atomic<ref<listener>*> given{nullptr};
    pal::thread stranger{[&] {
      test::wait_until([&] { return given.load() != nullptr; });
      ref<listener> to = *given.exchange(nullptr);
      (void)to.try_send(begin{});
    }};
    {
      runtime_config config;
      config.workers = 1;
      config.network = false;
      runtime short_one{config};
      right += short_one.block_on([&]() -> task<int> {
        auto to = spawn<listener>();
        for (int i = 0; i < asks_to_be_kept; ++i) (void)co_await to.ask(next{});
        given.store(&to);
        int heard = 0;
        while (heard == 0 || given.load() != nullptr) heard = co_await to.ask(next{});
        co_return heard;
      });
    }
    stranger.join();
  }
  BOOST_TEST(right == rounds);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
