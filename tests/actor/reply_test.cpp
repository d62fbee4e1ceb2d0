#include <chrono>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/actor/actor.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/yield.hpp>

#include <collected_failures.hpp>
#include <sched/virtual_worker.hpp>

namespace troupe {

using namespace std::chrono_literals;

namespace {

// How a request is treated: each is handled by another kind of handler.
struct plain {};
struct slow {};
struct plain_reply {};
struct slow_reply {};
struct local_reply {};  // The handler has moved the reply<T> on.
struct helped_reply {};
struct survived {};
struct wait_for_ever {
  event* until;
};
struct drop_first {
  event* until;
};
struct keep {};
struct fail_with_all {};
struct still_here {};

// Fails in every way.
class fragile_desk : public actor {
public:
  int on(plain) { throw std::runtime_error{"broken"}; }
  task<int> on(slow) {
    co_await yield();
    throw std::runtime_error{"broken"};
  }
  void on(plain_reply, reply<int>) { throw std::runtime_error{"broken"}; }
  task<> on(slow_reply, reply<int>) {
    co_await yield();
    throw std::runtime_error{"broken"};
  }
  task<> on(local_reply, reply<int> back) {
    reply<int> mine = std::move(back);
    co_await yield();
    throw std::runtime_error{"broken"};
  }
  task<> on(helped_reply, reply<int> back) { co_await help(std::move(back)); }
  void on(survived, reply<int> back) {
    try {
      reply<int> mine = std::move(back);
      throw std::runtime_error{"not this time"};
    } catch (const std::runtime_error&) {
    }
  }
  task<> on(wait_for_ever m, reply<int> back) {
    co_await m.until->wait();
    back.answer(1);
  }
  task<> on(drop_first m, reply<int> back) {
    std::optional<reply<int>> mine{std::move(back)};
    mine.reset();
    co_await m.until->wait();
  }
  void on(keep, reply<int> back) { kept_.push_back(std::move(back)); }
  void on(fail_with_all) {
    auto all = std::move(kept_);
    throw std::runtime_error{"broken"};
  }
  int on(still_here) { return 1; }

private:
  static task<> help(reply<int>) {
    co_await yield();
    throw std::runtime_error{"broken"};
  }

  std::vector<reply<int>> kept_;
};

// Passes on what it is asked.
class front : public actor {
public:
  explicit front(ref<fragile_desk> behind) : behind_{std::move(behind)} {}
  void on(plain m, reply<int> back) { behind_.delegate(m, std::move(back)); }
  void on(slow m, reply<int> back) { behind_.delegate(m, std::move(back)); }
  void on(plain_reply m, reply<int> back) { behind_.delegate(m, std::move(back)); }
  void on(slow_reply m, reply<int> back) { behind_.delegate(m, std::move(back)); }
  void on(local_reply m, reply<int> back) { behind_.delegate(m, std::move(back)); }
  void on(helped_reply m, reply<int> back) { behind_.delegate(m, std::move(back)); }
  void on(still_here m, reply<int> back) { behind_.delegate(m, std::move(back)); }
  void on(survived m, reply<int> back) { behind_.delegate(m, std::move(back)); }
  void on(wait_for_ever m, reply<int> back) { behind_.delegate(m, std::move(back)); }

private:
  ref<fragile_desk> behind_;
};

// What became of a request.
struct outcome {
  boost::system::error_code code{};
  std::string text;
};

template <class A, class M>
task<outcome> ask(ref<A> whom, M message) {
  try {
    (void)co_await whom.ask(take(message));
  } catch (const system_error& error) {
    outcome seen;
    seen.code = error.code();
    seen.text = error.what();
    co_return seen;
  }
  co_return outcome{};
}

template <class M>
task<> check_that_it_says_why(bool through_another) {
  auto desk = spawn<fragile_desk>();
  (void)co_await desk.ask(still_here{});
  time_point before = now();
  outcome seen;
  if (through_another) {
    auto between = spawn<front>(desk);
    seen = co_await ask(between, M{});
  } else {
    seen = co_await ask(desk, M{});
  }
  BOOST_TEST((seen.code == ask_errc::receiver_failed));
  BOOST_TEST(seen.text.find("broken") != std::string::npos, seen.text);
  BOOST_CHECK((now() == before));
  (void)co_await desk.ended();  // Its failure has been collected.
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(reply_, test::virtual_worker)

BOOST_AUTO_TEST_CASE(ask_callee_dies_and_each_kind_of_handler_says_why) {
  test::collected_failures expected;
  rt.block_on([]() -> task<> {
    for (bool through_another : {false, true}) {
      co_await check_that_it_says_why<plain>(through_another);
      co_await check_that_it_says_why<slow>(through_another);
      co_await check_that_it_says_why<plain_reply>(through_another);
      co_await check_that_it_says_why<slow_reply>(through_another);
      co_await check_that_it_says_why<local_reply>(through_another);
      co_await check_that_it_says_why<helped_reply>(through_another);
    }
  });
  BOOST_TEST(expected.texts().size() == 12u);
}

BOOST_AUTO_TEST_CASE(ask_callee_dies_by_kill_while_it_has_the_reply) {
  rt.block_on([]() -> task<> {
    for (bool through_another : {false, true}) {
      event never;
      auto desk = spawn<fragile_desk>();
      auto asking = spawn([&]() -> task<outcome> {
        wait_for_ever m{&never};
        if (!through_another) co_return co_await ask(desk, m);
        auto between = spawn<front>(desk);
        co_return co_await ask(between, m);
      });
      co_await sleep_for(1us);
      time_point before = now();
      desk.kill();
      outcome seen = co_await asking;
      BOOST_TEST((seen.code == ask_errc::receiver_failed));
      BOOST_CHECK((now() == before));
    }
  });
}

BOOST_AUTO_TEST_CASE(ask_broken_what_is_dropped_by_an_exception_that_stays_inside) {
  rt.block_on([]() -> task<> {
    auto desk = spawn<fragile_desk>();
    auto between = spawn<front>(desk);
    outcome direct = co_await ask(desk, survived{});
    BOOST_TEST((direct.code == ask_errc::broken_reply));
    outcome delegated = co_await ask(between, survived{});
    BOOST_TEST((delegated.code == ask_errc::broken_reply));
    BOOST_TEST((co_await desk.ask(still_here{})) == 1);
  });
}

BOOST_AUTO_TEST_CASE(ask_broken_is_told_while_the_handler_goes_on) {
  rt.block_on([]() -> task<> {
    event later;
    auto desk = spawn<fragile_desk>();
    outcome seen = co_await ask(desk, drop_first{&later});
    BOOST_TEST((seen.code == ask_errc::broken_reply));
    later.set();
    BOOST_TEST((co_await desk.ask(still_here{})) == 1);
  });
}

// The replies to older requests are dropped by the handler that fails.
BOOST_AUTO_TEST_CASE(ask_callee_dies_and_drops_what_it_has_kept) {
  test::collected_failures expected;
  rt.block_on([]() -> task<> {
    auto desk = spawn<fragile_desk>();
    std::vector<join_handle<outcome>> asking;
    for (int i = 0; i < 3; ++i) {
      asking.push_back(spawn([desk]() -> task<outcome> { return ask(desk, keep{}); }));
    }
    co_await sleep_for(1us);
    co_await desk.send(fail_with_all{});
    for (auto& each : asking) {
      outcome seen = co_await each;
      BOOST_TEST((seen.code == ask_errc::receiver_failed));
      BOOST_TEST(seen.text.find("broken") != std::string::npos, seen.text);
    }
    (void)co_await desk.ended();
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
