#include <chrono>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <actors/circuit_breaker.hpp>
#include <troupe/actor/actor.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/task/spawn.hpp>

#include <sched/virtual_worker.hpp>
#include <thrown_misuse.hpp>

namespace troupe::actors {

using namespace std::chrono_literals;

namespace {

struct ping {
  using reply = int;
};
struct be {
  ask_errc error;  // Zero: well.
};

class patient : public actor {
public:
  void on(be m) { error_ = m.error; }
  void on(ping, reply<int> back) {
    ++asked_;
    error_ == ask_errc{} ? back.answer(asked_) : back.fail(error_);
  }

private:
  ask_errc error_{};
  int asked_ = 0;
};

struct guarded : test::virtual_worker {
  int reached = 0;

  task<boost::system::error_code> call(circuit_breaker& by, ref<patient> to) {
    try {
      (void)co_await by.call([&] {
        ++reached;
        return to.ask(ping{});
      });
    } catch (const system_error& error) {
      co_return error.code();
    }
    co_return boost::system::error_code{};
  }
  task<> calls(circuit_breaker& by, ref<patient> to, int count) {
    for (int i = 0; i < count; ++i) (void)co_await call(by, to);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(circuit_breaker_, guarded)

BOOST_AUTO_TEST_CASE(so_many_failures_in_a_row_open_it_and_a_success_between_does_not) {
  rt.block_on([&]() -> task<> {
    circuit_breaker breaker{{.max_failures = 3}};
    auto to = spawn<patient>();
    co_await to.send(be{ask_errc::receiver_failed});
    co_await calls(breaker, to, 2);
    co_await to.send(be{});
    co_await calls(breaker, to, 1);
    co_await to.send(be{ask_errc::receiver_failed});
    co_await calls(breaker, to, 2);
    BOOST_TEST((breaker.state() == breaker_state::closed));
    co_await calls(breaker, to, 1);
    BOOST_TEST((breaker.state() == breaker_state::open));
    BOOST_TEST(reached == 6);
  });
}

BOOST_AUTO_TEST_CASE(while_it_is_open_requests_fail_at_once_and_are_not_made) {
  rt.block_on([&]() -> task<> {
    circuit_breaker breaker{{.max_failures = 1, .open_time = 10s}};
    auto to = spawn<patient>();
    co_await to.send(be{ask_errc::broken_reply});
    co_await calls(breaker, to, 1);
    time_point before = now();
    for (int i = 0; i < 10; ++i) {
      auto error = co_await call(breaker, to);
      BOOST_TEST((error == breaker_errc::open));
    }
    BOOST_TEST(reached == 1);
    BOOST_TEST((now() == before));
    auto words = make_error_code(breaker_errc::open).message();
    BOOST_TEST(words.find("not run") != std::string::npos);
  });
}

BOOST_AUTO_TEST_CASE(after_its_time_a_trial_closes_it_or_opens_it_again) {
  rt.block_on([&]() -> task<> {
    circuit_breaker breaker{{.max_failures = 1, .open_time = 10s}};
    auto to = spawn<patient>();
    co_await to.send(be{ask_errc::timeout});
    co_await calls(breaker, to, 1);
    co_await sleep_for(9s);
    BOOST_TEST((breaker.state() == breaker_state::open));
    co_await sleep_for(1s);
    BOOST_TEST((breaker.state() == breaker_state::half_open));
    co_await calls(breaker, to, 1);
    BOOST_TEST((breaker.state() == breaker_state::open));
    co_await sleep_for(9s);
    BOOST_TEST((breaker.state() == breaker_state::open));
    co_await sleep_for(1s);
    co_await to.send(be{});
    co_await calls(breaker, to, 1);
    BOOST_TEST((breaker.state() == breaker_state::closed));
    BOOST_TEST(reached == 3);
  });
}

BOOST_AUTO_TEST_CASE(half_open_only_so_many_are_on_trial_and_all_have_to_succeed) {
  rt.block_on([&]() -> task<> {
    circuit_breaker breaker{{.max_failures = 1, .open_time = 1s, .trials = 2}};
    auto to = spawn<patient>();
    co_await to.send(be{ask_errc::timeout});
    co_await calls(breaker, to, 1);
    co_await sleep_for(2s);
    auto slow = [&]() -> task<int> {
      ++reached;
      co_await sleep_for(1s);
      co_return 1;
    };
    auto one = spawn([&]() -> task<> { (void)co_await breaker.call(slow); });
    auto two = spawn([&]() -> task<> { (void)co_await breaker.call(slow); });
    co_await sleep_for(500ms);
    BOOST_TEST(((co_await call(breaker, to)) == breaker_errc::open));
    BOOST_TEST(reached == 3);
    BOOST_TEST((breaker.state() == breaker_state::half_open));
    co_await one;
    co_await two;
    BOOST_TEST((breaker.state() == breaker_state::closed));
  });
}

BOOST_AUTO_TEST_CASE(a_trial_that_is_cancelled_makes_room_for_another) {
  rt.block_on([&]() -> task<> {
    circuit_breaker breaker{{.max_failures = 1, .open_time = 1s}};
    auto to = spawn<patient>();
    co_await to.send(be{ask_errc::timeout});
    co_await calls(breaker, to, 1);
    co_await to.send(be{});
    co_await sleep_for(2s);
    auto forever = []() -> task<int> {
      co_await sleep_for(1h);
      co_return 1;
    };
    auto left = co_await timeout(1s, breaker.call(forever)).as_result();
    BOOST_TEST((left.error() == errc::timed_out));
    BOOST_TEST((breaker.state() == breaker_state::half_open));
    co_await calls(breaker, to, 1);
    BOOST_TEST((breaker.state() == breaker_state::closed));
  });
}

BOOST_AUTO_TEST_CASE(a_part_of_the_last_ones_opens_it) {
  rt.block_on([&]() -> task<> {
    circuit_breaker breaker{{.max_failures = 0, .max_failure_ratio = 0.5, .window = 10}};
    auto to = spawn<patient>();
    for (int i = 0; i < 20; ++i) {
      co_await to.send(be{i % 5 < 2 ? ask_errc::receiver_failed : ask_errc{}});
      co_await calls(breaker, to, 1);
    }
    BOOST_TEST((breaker.state() == breaker_state::closed));  // Four of each ten.
    co_await to.send(be{ask_errc::receiver_failed});
    co_await calls(breaker, to, 2);
    BOOST_TEST((breaker.state() == breaker_state::closed));  // The first two went out.
    co_await calls(breaker, to, 1);
    BOOST_TEST((breaker.state() == breaker_state::open));
  });
}

BOOST_AUTO_TEST_CASE(only_what_says_that_the_other_is_unwell_counts) {
  rt.block_on([&]() -> task<> {
    circuit_breaker breaker{{.max_failures = 2}};
    auto to = spawn<patient>();
    for (auto error :
         {ask_errc::rejected, ask_errc::deadlock, ask_errc::canceled, ask_errc::canceled_unrun}) {
      co_await to.send(be{error});
      co_await calls(breaker, to, 3);
      BOOST_TEST((breaker.state() == breaker_state::closed));
    }
    for (auto error : {ask_errc::mailbox_full, ask_errc::receiver_gone, ask_errc::expired,
                       ask_errc::no_route, ask_errc::timeout, ask_errc::receiver_failed,
                       ask_errc::node_down, ask_errc::broken_reply}) {
      circuit_breaker fresh{{.max_failures = 1}};
      co_await to.send(be{error});
      co_await calls(fresh, to, 1);
      BOOST_TEST((fresh.state() == breaker_state::open));
    }
    BOOST_TEST(is_breaker_failure(make_error_code(errc::end_of_stream)));
  });
}

BOOST_AUTO_TEST_CASE(what_began_before_it_opened_says_nothing_of_a_later_state) {
  rt.block_on([&]() -> task<> {
    circuit_breaker breaker{{.max_failures = 1, .open_time = 1s}};
    auto to = spawn<patient>();
    auto late = [&]() -> task<int> {
      co_await sleep_for(10s);
      throw_error(make_error_code(ask_errc::timeout));
      co_return 0;
    };
    auto slow = spawn([&]() -> task<> {
      try {
        (void)co_await breaker.call(late);
      } catch (const system_error&) {
      }
    });
    co_await sleep_for(1ms);
    co_await to.send(be{ask_errc::timeout});
    co_await calls(breaker, to, 1);
    co_await to.send(be{});
    co_await sleep_for(2s);
    co_await calls(breaker, to, 1);
    BOOST_TEST((breaker.state() == breaker_state::closed));
    co_await slow;
    BOOST_TEST((breaker.state() == breaker_state::closed));
  });
}

BOOST_AUTO_TEST_CASE(options_without_a_meaning_are_a_misuse) {
  auto text = test::misuse_of([] { circuit_breaker none{{.trials = 0}}; });
  BOOST_TEST(text.find("`trials`") != std::string::npos, text);
  text = test::misuse_of([] { circuit_breaker none{{.max_failure_ratio = 1.5}}; });
  BOOST_TEST(text.find("`max_failure_ratio`") != std::string::npos, text);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::actors
