#include <chrono>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/actor/supervisor.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/yield.hpp>

#include <sched/two_workers.hpp>
#include <sched/virtual_worker.hpp>
#include <threads.hpp>

namespace troupe {

using namespace std::chrono_literals;

namespace {

struct later {
  duration delay;
  const char* text;
};
struct every {
  duration period;
};
struct cancel {};
struct busy {
  duration length;
  bool cancels = false;
};
struct ring {
  std::string text;
};
struct crash {};
struct ping {};
struct begin_idle {
  duration limit;
};
// Tells one made anew from another.
struct quiet {
  static inline int made = 0;
  int serial = ++made;
};

// What rang, and when, in milliseconds since the start; outlives the actor.
struct bell_log {
  std::vector<std::pair<long, std::string>> rings;
  time_point start = now();
  int lives = 0;
  bool was_changed = false;

  void add(const std::string& text) {
    auto since = std::chrono::duration_cast<std::chrono::milliseconds>(now() - start);
    rings.emplace_back(static_cast<long>(since.count()), text);
  }
  [[nodiscard]] std::vector<long> times() const {
    std::vector<long> all;
    for (auto& each : rings) all.push_back(each.first);
    return all;
  }
};

class bell : public actor {
public:
  explicit bell(bell_log& log) : log_{&log} {}
  void on_start() { ++log_->lives; }

  void on(later m) { timer_ = self(this).send_after(m.delay, ring{m.text}); }
  task<> on(every m) {
    co_await yield();  // From a later segment of a handler.
    timer_ = self(this).send_every(m.period, ring{"tick"});
  }
  void on(cancel) { timer_.cancel(); }
  task<> on(busy m) {
    co_await sleep_for(m.length);
    if (m.cancels) timer_.cancel();
  }
  void on(ring m) { log_->add(m.text); }
  void on(crash) { throw std::runtime_error{"crashed"}; }
  void on(ping) {}
  void on(begin_idle m) { timer_ = self(this).send_when_idle<quiet>(m.limit); }
  task<> on(const quiet& m) {
    log_->add("quiet");
    int before = m.serial;
    co_await sleep_for(1s);
    log_->was_changed |= before != m.serial;
  }

private:
  bell_log* log_;
  actor_timer timer_;
};

using milliseconds = std::vector<long>;

task<> until_idle() { co_await sleep_for(1us); }

}  // namespace

BOOST_FIXTURE_TEST_SUITE(timer_, test::virtual_worker)

BOOST_AUTO_TEST_CASE(send_after_comes_once_when_its_time_is_over) {
  rt.block_on([]() -> task<> {
    bell_log log;
    auto b = spawn<bell>(log);
    co_await b.send(later{20ms, "one"});
    co_await b.send(later{10ms, "two"});  // It does not replace the first.
    co_await sleep_for(1s);
    BOOST_TEST(log.times() == (milliseconds{10, 20}), boost::test_tools::per_element());
    BOOST_TEST(log.rings[1].second == "one");
  });
}

BOOST_AUTO_TEST_CASE(send_every_does_not_drift) {
  rt.block_on([]() -> task<> {
    bell_log log;
    auto b = spawn<bell>(log);
    co_await b.send(every{10ms});
    co_await until_idle();
    log.start = now() - 1us;
    co_await sleep_for(22ms);
    co_await b.send(busy{15ms});  // Over the ticks of 30; done at 37.
    co_await sleep_for(40ms);
    BOOST_TEST(log.times() == (milliseconds{9, 19, 37, 39, 49, 59}),
               boost::test_tools::per_element());
  });
}

BOOST_AUTO_TEST_CASE(send_every_has_one_under_way_at_most) {
  rt.block_on([]() -> task<> {
    bell_log log;
    auto b = spawn<bell>(log);
    co_await b.send(every{10ms});
    co_await b.send(busy{95ms});
    co_await sleep_for(98ms);
    BOOST_TEST(log.rings.size() == 1u);
    co_await b.send(cancel{});
    co_await sleep_for(100ms);
    BOOST_TEST(log.rings.size() == 1u);
  });
}

BOOST_AUTO_TEST_CASE(nothing_comes_after_cancel) {
  rt.block_on([]() -> task<> {
    for (duration length : {duration{5ms}, duration{15ms}}) {  // Before it is sent, and after.
      bell_log log;
      auto b = spawn<bell>(log);
      co_await b.send(later{10ms, "never"});
      co_await b.send(busy{length, true});
      co_await sleep_for(1s);
      BOOST_TEST(log.rings.empty());
      co_await b.send(cancel{});  // Once more is harmless.
      co_await b.send(later{10ms, "again"});
      co_await sleep_for(1s);
      BOOST_TEST(log.rings.size() == 1u);
    }
  });
}

BOOST_AUTO_TEST_CASE(timers_keep_no_actor_alive) {
  rt.block_on([]() -> task<> {
    bell_log log;
    time_point before = now();
    std::optional<ref<bell>> b = spawn<bell>(log);
    weak_ref<bell> weak{*b};
    co_await b->send(later{1h, "never"});
    co_await b->send(every{10ms});
    b.reset();
    co_await until_idle();
    BOOST_TEST(!weak.lock().has_value());
    BOOST_CHECK((now() - before < 1ms));
    co_await sleep_for(2h);
    BOOST_TEST(log.rings.empty());
  });
}

BOOST_AUTO_TEST_CASE(timers_end_with_their_incarnation) {
  rt.block_on([]() -> task<> {
    bell_log log;
    auto root = spawn<supervisor>();
    auto b = spawn_child<bell>(root, std::ref(log));
    co_await b.send(later{10ms, "never"});
    co_await b.send(every{10ms});
    co_await b.send(crash{});
    co_await sleep_for(100ms);
    BOOST_TEST(log.lives == 2);
    BOOST_TEST(log.rings.empty());
    root.stop();
    co_await b.ended();
  });
}

BOOST_AUTO_TEST_CASE(send_when_idle_comes_when_nothing_was_handled_for_so_long) {
  rt.block_on([]() -> task<> {
    bell_log log;
    auto b = spawn<bell>(log);
    co_await b.send(begin_idle{80ms});
    for (int i = 0; i < 10; ++i) {
      co_await sleep_for(50ms);
      co_await b.send(ping{});
    }
    BOOST_TEST(log.rings.empty());
    co_await sleep_for(91ms);
    BOOST_TEST(log.rings.size() == 1u);
    // Its own message takes a second. It is the same one all the time.
    co_await sleep_for(950ms);
    BOOST_TEST(log.rings.size() == 1u);
    BOOST_TEST(!log.was_changed);
    co_await sleep_for(150ms);
    BOOST_TEST(log.rings.size() == 2u);
    b.stop();
    co_await b.ended();
    BOOST_TEST(!log.was_changed);
  });
}

BOOST_AUTO_TEST_CASE(send_when_idle_is_not_disturbed_by_another_one) {
  struct quiet_long {};
  class twofold : public actor {
  public:
    explicit twofold(bell_log& log) : log_{&log} {}
    void on_start() {
      (void)self(this).send_when_idle<quiet_long>(160ms);
      (void)self(this).send_when_idle<quiet>(80ms);
    }
    void on(const quiet&) { log_->add("short"); }
    void on(quiet_long) { log_->add("long"); }
    void on(ping) {}

  private:
    bell_log* log_;
  };
  rt.block_on([]() -> task<> {
    bell_log log;
    auto t = spawn<twofold>(log);
    for (int i = 0; i < 100; ++i) {  // Each look of one of them comes before one of the other.
      co_await sleep_for(19ms);
      co_await t.send(ping{});
    }
    BOOST_TEST(log.rings.empty());
    co_await sleep_for(91ms);
    BOOST_TEST(log.rings.size() == 1u);
    t.stop();
    co_await t.ended();
  });
}

BOOST_AUTO_TEST_CASE(send_when_idle_does_not_come_while_a_handler_waits_nor_soon_after) {
  rt.block_on([]() -> task<> {
    for (auto length = 490ms; length < 500ms; length += 1ms) {  // It ends at a look, and between.
      bell_log log;
      auto b = spawn<bell>(log);
      co_await b.send(begin_idle{80ms});
      co_await b.send(busy{length});
      co_await sleep_for(length + 92ms);
      BOOST_REQUIRE(log.rings.size() == 1u);
      BOOST_TEST(log.times()[0] >= (length + 80ms).count());
      b.stop();
      co_await b.ended();
    }
  });
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(timer_race_, test::two_workers)

// Goal:   a tick and the next one, on whichever worker each is, do not meet.
BOOST_AUTO_TEST_CASE(fast_ticks_come_one_after_the_other) {
  class fast : public actor {
  public:
    explicit fast(event& done) : done_{&done} {}
    void on_start() {
      for (actor_timer& each : timers_) each = self(this).send_every(1us, ring{"x"});
    }
    void on(const ring&) {
      if (++count_ % 50 != 0) return;
      timers_[0].cancel();
      timers_[0] = self(this).send_every(1us, ring{"x"});
      if (count_ >= static_cast<int>(test::rounds(2'000))) done_->set();
    }

  private:
    event* done_;
    actor_timer timers_[4];
    int count_ = 0;
  };
  rt.block_on([]() -> task<> {
    event done;
    auto f = spawn<fast>(done);
    co_await done.wait();
    f.stop();
    co_await f.ended();
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
