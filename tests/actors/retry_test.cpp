#include <chrono>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <actors/retry.hpp>
#include <troupe/actor/actor.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/task/spawn.hpp>

#include <sched/virtual_worker.hpp>
#include <thrown_misuse.hpp>

namespace troupe::actors {

using namespace std::chrono_literals;

namespace {

struct job_wanted {
  using reply = int;
};

// Fails as often as it is told to, with that error; then answers how often it was asked.
class moody : public actor {
public:
  moody(int failures, ask_errc error, std::string words = {})
      : failures_{failures}, error_{error}, words_{std::move(words)} {}

  void on(job_wanted, reply<int> back) {
    ++asked_;
    if (asked_ > failures_) return back.answer(asked_);
    words_.empty() ? back.fail(error_) : back.fail(error_, words_ + std::to_string(asked_));
  }

private:
  int failures_;
  ask_errc error_;
  std::string words_;
  int asked_ = 0;
};

struct asking : test::virtual_worker {
  int attempts = 0;

  // The error, and how long it took.
  struct end {
    boost::system::error_code error;
    std::string words;
    duration time;
  };
  task<end> fail_with(retry_policy policy, ref<moody> at) {
    time_point before = now();
    try {
      (void)co_await retry(policy, [&] {
        ++attempts;
        return at.ask(job_wanted{});
      });
    } catch (const system_error& error) {
      co_return end{error.code(), error.what(), now() - before};
    }
    co_return end{};
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(retry_, asking)

BOOST_AUTO_TEST_CASE(what_was_not_run_is_asked_until_there_is_an_answer) {
  rt.block_on([&]() -> task<> {
    auto at = spawn<moody>(3, ask_errc::rejected);
    retry_policy policy;
    time_point before = now();
    int answer = co_await retry(policy, [&] { return at.ask(job_wanted{}); });
    BOOST_TEST(answer == 4);
    // Half to all of 10, 20 and 40 ms; a timer is up to a tick late.
    BOOST_TEST((now() - before >= 35ms));
    BOOST_TEST((now() - before <= 71ms));
  });
}

BOOST_AUTO_TEST_CASE(the_last_error_is_kept_with_its_words) {
  rt.block_on([&]() -> task<> {
    retry_policy policy;
    policy.max_attempts = 4;
    end got = co_await fail_with(policy, spawn<moody>(100, ask_errc::rejected, "mood "));
    BOOST_TEST(attempts == 4);
    BOOST_TEST((got.error == ask_errc::rejected));
    BOOST_TEST(got.words.find("mood 4") != std::string::npos, got.words);
  });
}

BOOST_AUTO_TEST_CASE(what_may_have_run_is_asked_again_only_when_told_so) {
  rt.block_on([&]() -> task<> {
    retry_policy policy;
    end got = co_await fail_with(policy, spawn<moody>(2, ask_errc::broken_reply));
    BOOST_TEST(attempts == 1);
    BOOST_TEST((got.error == ask_errc::broken_reply));
    BOOST_TEST((got.time == 0ns));
    attempts = 0;
    policy.even_if_maybe_run = true;
    got = co_await fail_with(policy, spawn<moody>(2, ask_errc::broken_reply));
    BOOST_TEST(attempts == 3);
    BOOST_TEST(!got.error);
  });
}

BOOST_AUTO_TEST_CASE(no_attempt_begins_after_the_time_is_over_and_no_wait_for_one) {
  rt.block_on([&]() -> task<> {
    retry_policy policy;
    policy.max_attempts = 1000;
    policy.min_delay = policy.max_delay = 100ms;
    policy.within = 1s;
    end got = co_await fail_with(policy, spawn<moody>(1000, ask_errc::rejected));
    BOOST_TEST((got.error == ask_errc::rejected));
    BOOST_TEST(attempts >= 10);
    BOOST_TEST(attempts <= 20);
    BOOST_TEST((got.time < 1s));
  });
}

BOOST_AUTO_TEST_CASE(an_attempt_may_have_what_is_left_of_the_time_as_its_limit) {
  rt.block_on([&]() -> task<> {
    auto at = spawn<moody>(2, ask_errc::rejected);
    retry_policy policy;
    policy.within = 1s;
    std::vector<duration> limits;
    (void)co_await retry(policy, [&](ask_limit left) {
      limits.push_back(left.length);
      return at.ask(job_wanted{}, left);
    });
    BOOST_REQUIRE(limits.size() == 3U);
    BOOST_TEST((limits[0] == 1s));
    BOOST_TEST((limits[1] <= 995ms));
    BOOST_TEST((limits[2] <= 985ms));
  });
}

BOOST_AUTO_TEST_CASE(delays_double_up_to_the_longest_and_each_is_at_least_half) {
  retry_policy policy;
  policy.min_delay = 1ms;
  policy.max_delay = 50ms;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    policy.seed = seed;
    retry_delays delays{policy}, same{policy};
    duration whole = 1ms;
    for (int i = 0; i < 20; ++i) {
      duration next = delays.next();
      BOOST_TEST((next >= whole / 2 && next <= whole), "seed " << seed << ", delay " << i);
      BOOST_TEST((next == same.next()));
      whole = std::min<duration>(whole * 2, 50ms);
    }
  }
}

BOOST_AUTO_TEST_CASE(other_errors_and_tasks_are_taken_too) {
  rt.block_on([&]() -> task<> {
    retry_policy policy;
    auto connect = [&]() -> task<std::string> {
      co_await sleep_for(1ms);
      if (++attempts < 3) throw_error(make_error_code(errc::end_of_stream));
      co_return "there";
    };
    std::string words;
    try {
      (void)co_await retry(policy, connect);
    } catch (const system_error& error) {
      words = error.what();
    }
    BOOST_TEST(attempts == 1);
    BOOST_TEST(!words.empty());
    policy.also = [](boost::system::error_code code) { return code == errc::end_of_stream; };
    BOOST_TEST((co_await retry(policy, connect)) == "there");
    BOOST_TEST(attempts == 3);
  });
}

BOOST_AUTO_TEST_CASE(asked_to_stop_it_asks_no_more) {
  rt.block_on([&]() -> task<> {
    auto at = spawn<moody>(100, ask_errc::rejected);
    retry_policy policy;
    policy.min_delay = policy.max_delay = 1h;
    auto retrying = spawn([&]() -> task<> {
      (void)co_await retry(policy, [&] {
        ++attempts;
        return at.ask(job_wanted{});
      });
    });
    co_await sleep_for(1s);
    co_await retrying.cancel();
    BOOST_TEST(attempts == 1);
    BOOST_TEST((now() - time_point{} < 1h));
  });
}

BOOST_AUTO_TEST_CASE(no_attempt_at_all_is_a_misuse) {
  rt.block_on([&]() -> task<> {
    retry_policy policy;
    policy.max_attempts = 0;
    auto at = spawn<moody>(0, ask_errc::rejected);
    std::string text;
    auto call = [&]() -> task<> {
      (void)co_await retry(policy, [&] { return at.ask(job_wanted{}); });
    };
    try {
      test::thrown_misuse thrown;
      co_await call();
    } catch (const std::exception& error) {
      text = error.what();
    }
    BOOST_TEST(text.find("max_attempts") != std::string::npos, text);
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::actors
