#include <chrono>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/actor/supervisor.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/yield.hpp>

#include <collected_failures.hpp>
#include <sched/two_workers.hpp>
#include <sched/virtual_worker.hpp>
#include <threads.hpp>

namespace troupe {

using namespace std::chrono_literals;

namespace {

struct fetch {
  int key;
  event* when;
};
struct fetch_by_reference {
  std::string text;
  event* when;
};
struct fail {
  event* when;
};
struct at_once {
  int key;
};
struct waiting {};
struct crash {};
struct twice {
  int key;
};

class cache : public actor {
public:
  explicit cache(std::vector<std::string>& log) : log_{&log} {}
  ~cache() { log_->push_back("destroyed"); }

  task<int> on(fetch m, interleaved) {
    struct counted {
      explicit counted(int& n) : in{++n} {}
      ~counted() { --in; }
      int& in;
    } guard{waiting_};
    co_await m.when->wait();
    co_return m.key;
  }
  task<std::string> on(const fetch_by_reference& m, interleaved) {
    co_await m.when->wait();
    co_return m.text;
  }
  task<int> on(fail m, interleaved) {
    co_await m.when->wait();
    throw std::runtime_error{"not found"};
  }
  task<int> on(at_once m, interleaved) { co_return m.key; }
  int on(waiting) { return waiting_; }
  void on(crash) { throw std::runtime_error{"crashed"}; }

private:
  std::vector<std::string>* log_;
  int waiting_ = 0;
};

template <class T>
boost::system::error_code code_of(const result<T>& outcome) {
  return outcome.has_error() ? outcome.error() : boost::system::error_code{};
}

task<> until_idle() { co_await sleep_for(1ms); }

// What it has noted is complete then.
template <class A>
task<> end(ref<A> which) {
  which.stop();
  co_await which.ended();
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(interleaved_, test::virtual_worker)

BOOST_AUTO_TEST_CASE(other_mail_is_handled_meanwhile_and_each_answer_finds_its_requester) {
  std::vector<std::string> log;
  rt.block_on([&]() -> task<> {
    event first_may, second_may;
    auto c = spawn<cache>(log);
    auto ask = [c](int key, event* when) -> task<int> {
      co_return co_await c.ask(fetch{key, when});
    };
    auto first = spawn(ask, 1, &first_may), second = spawn(ask, 2, &second_may);
    co_await until_idle();
    BOOST_TEST((co_await c.ask(waiting{})) == 2);
    BOOST_TEST((co_await c.ask(at_once{3})) == 3);
    second_may.set();
    BOOST_TEST((co_await second) == 2);
    BOOST_TEST(!first.done());
    first_may.set();
    BOOST_TEST((co_await first) == 1);
    BOOST_TEST((co_await c.ask(waiting{})) == 0);
    co_await end(c);
  });
}

BOOST_AUTO_TEST_CASE(a_message_that_is_taken_by_reference_stays_until_the_end) {
  std::vector<std::string> log;
  rt.block_on([&]() -> task<> {
    event when;
    auto c = spawn<cache>(log);
    std::string text(200, 'x');
    auto asking = spawn([&, c]() -> task<std::string> {
      fetch_by_reference m{text, &when};
      co_return co_await c.ask(take(m));
    });
    co_await until_idle();
    for (int i = 0; i < 10; ++i) BOOST_TEST((co_await c.ask(at_once{i})) == i);
    when.set();
    BOOST_TEST((co_await asking) == text);
    co_await end(c);
  });
}

BOOST_AUTO_TEST_CASE(a_failure_ends_the_actor_and_fails_all_that_wait) {
  std::vector<std::string> log;
  test::collected_failures failures;
  rt.block_on([&]() -> task<> {
    event when, never;
    auto c = spawn<cache>(log);
    auto failing = spawn([&, c]() -> task<boost::system::error_code> {
      co_return code_of(co_await c.ask(fail{&when}).as_result());
    });
    auto waiting = spawn([&, c]() -> task<boost::system::error_code> {
      co_return code_of(co_await c.ask(fetch{1, &never}).as_result());
    });
    co_await until_idle();
    when.set();
    BOOST_TEST(((co_await failing) == ask_errc::receiver_failed));
    BOOST_TEST(((co_await waiting) == ask_errc::receiver_failed));
    exit_reason why = co_await c.ended();
    BOOST_TEST((why.kind == exit_kind::failed));
  });
  BOOST_REQUIRE(failures.texts().size() == 1u);
  BOOST_TEST(failures.texts()[0] == "not found");
}

BOOST_AUTO_TEST_CASE(stop_and_kill_break_them_off_before_the_state_goes) {
  for (bool is_killed : {false, true}) {
    std::vector<std::string> log;
    rt.block_on([&]() -> task<> {
      event never;
      auto c = spawn<cache>(log);
      auto asking = spawn([&, c]() -> task<boost::system::error_code> {
        co_return code_of(co_await c.ask(fetch{1, &never}).as_result());
      });
      co_await until_idle();
      is_killed ? c.kill() : c.stop();
      BOOST_TEST(((co_await asking) == ask_errc::receiver_failed));
      co_await c.ended();
      BOOST_TEST(log.size() == 1u);
    });
  }
}

BOOST_AUTO_TEST_CASE(a_restart_ends_them_and_the_next_incarnation_takes_new_ones) {
  std::vector<std::string> log;
  rt.block_on([&]() -> task<> {
    event never, when;
    auto root = spawn<supervisor>();
    auto c = spawn_child<cache>(root, std::ref(log));
    auto asking = spawn([&, c]() -> task<boost::system::error_code> {
      co_return code_of(co_await c.ask(fetch{1, &never}).as_result());
    });
    co_await until_idle();
    BOOST_TEST(c.try_send(crash{}).has_value());
    BOOST_TEST(((co_await asking) == ask_errc::receiver_failed));
    BOOST_TEST((co_await c.ask(waiting{})) == 0);
    when.set();
    BOOST_TEST((co_await c.ask(fetch{7, &when})) == 7);
    root.stop();
    co_await c.ended();
  });
}

BOOST_AUTO_TEST_CASE(an_unreachable_actor_ends_after_the_last_of_them) {
  std::vector<std::string> log;
  rt.block_on([&]() -> task<> {
    event when;
    std::optional<ref<cache>> c = spawn<cache>(log);
    BOOST_TEST(c->try_send(fetch{1, &when}).has_value());
    co_await until_idle();
    c.reset();
    co_await until_idle();
    BOOST_TEST(log.empty());
    when.set();
    co_await until_idle();
    BOOST_TEST(log.size() == 1u);
  });
}

BOOST_AUTO_TEST_CASE(room_comes_back_when_they_begin) {
  std::vector<std::string> log;
  rt.block_on([&]() -> task<> {
    event when;
    auto c = spawn<cache>(actor_options{.capacity = 2}, log);
    for (int round = 0; round < 3; ++round) {
      for (int i = 0; i < 2; ++i) BOOST_TEST(c.try_send(fetch{i, &when}).has_value());
      BOOST_TEST(!c.try_send(fetch{9, &when}).has_value());
      co_await until_idle();
    }
    BOOST_TEST((co_await c.ask(waiting{})) == 6);
    when.set();
    co_await until_idle();
    for (int i = 0; i < 2; ++i) BOOST_TEST(c.try_send(fetch{i, &when}).has_value());
    BOOST_TEST(!c.try_send(fetch{9, &when}).has_value());
    co_await until_idle();
    co_await end(c);
  });
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(interleaved_race_, test::two_workers)

// Goal:   many of them at once, woken by another worker, take turns, and nobody is forgotten.
BOOST_AUTO_TEST_CASE(many_at_once_take_turns) {
  class doubler : public actor {
  public:
    int on(at_once m) { return 2 * m.key; }
  };
  class front : public actor {
  public:
    explicit front(ref<doubler> back) : back_{std::move(back)} {}
    task<int> on(twice m, interleaved) {
      step();
      int answer = co_await back_.ask(at_once{m.key});
      step();
      co_await yield();
      step();
      co_return answer;
    }
    int on(waiting) { return met_ ? -1 : steps_; }

  private:
    void step() {
      met_ = met_ || inside_;
      inside_ = true;
      ++steps_;
      inside_ = false;
    }
    ref<doubler> back_;
    volatile bool inside_ = false;
    bool met_ = false;
    int steps_ = 0;
  };
  const int each = static_cast<int>(test::rounds(2'000));
  rt.block_on([each]() -> task<> {
    auto f = spawn<front>(spawn<doubler>());
    auto ask = [](ref<front> to, int count) -> task<int> {
      int right = 0;
      for (int i = 0; i < count; ++i) {
        int answer = co_await to.ask(twice{i});
        if (answer == 2 * i) ++right;
      }
      co_return right;
    };
    std::vector<join_handle<int>> asking;
    for (int i = 0; i < 8; ++i) asking.push_back(spawn(ask, f, each));
    for (auto& one : asking) BOOST_TEST((co_await one) == each);
    BOOST_TEST((co_await f.ask(waiting{})) == 8 * 3 * each);
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
