#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <actors/coordinator.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/task/spawn.hpp>

#include <captured_log.hpp>
#include <sched/virtual_worker.hpp>

namespace troupe::actors {

using namespace std::chrono_literals;

namespace {

// What a device does with its next requests: `k` well, `e` an error, `t` another exception.
struct workshop {
  std::string script;
  int opened = 0;
  int open_failures = 0;
  int busy = 0;
  int busiest = 0;
};

struct job_number {
  int number;
};

class device {
public:
  explicit device(workshop& of) : of_{&of}, serial_{++of.opened} {}

  task<std::string> serve(job_number m) {
    of_->busiest = std::max(of_->busiest, ++of_->busy);
    co_await sleep_for(10ms);
    --of_->busy;
    char what = of_->script.empty() ? 'k' : of_->script.front();
    if (!of_->script.empty()) of_->script.erase(0, 1);
    if (what == 'e') throw_error(make_error_code(errc::end_of_stream));
    if (what == 't') throw std::runtime_error{"a spring broke"};
    co_return std::to_string(m.number) + " by " + std::to_string(serial_);
  }

private:
  workshop* of_;
  int serial_;
};

struct with_workshop : test::virtual_worker {
  workshop shop;
  std::vector<boost::system::error_code> failures;

  auto start() {
    auto open = [this]() -> task<device> {
      co_await sleep_for(1ms);
      if (shop.open_failures > 0) {
        --shop.open_failures;
        throw_error(make_error_code(boost::system::errc::connection_refused));
      }
      co_return device{shop};
    };
    auto note = [this](boost::system::error_code error) { failures.push_back(error); };
    return spawn<coordinator<device, job_number>>(open, note);
  }
  // The answer, or the error's words.
  static task<std::string> ask(ref<coordinator<device, job_number>> c, int number) {
    auto answer = co_await c.ask(job_number{number});
    co_return answer ? *answer : answer.error().message();
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(coordinator_, with_workshop)

BOOST_AUTO_TEST_CASE(requests_use_the_one_resource_one_at_a_time) {
  rt.block_on([&]() -> task<> {
    auto c = start();
    BOOST_TEST(shop.opened == 0);
    std::vector<join_handle<std::string>> asking;
    for (int i = 0; i < 4; ++i) asking.push_back(spawn(ask, c, i));
    for (int i = 0; i < 4; ++i) {
      BOOST_TEST((co_await asking[static_cast<std::size_t>(i)]) == std::to_string(i) + " by 1");
    }
    BOOST_TEST(shop.busiest == 1);
    BOOST_TEST(shop.opened == 1);
  });
}

BOOST_AUTO_TEST_CASE(a_failure_is_the_requesters_and_the_next_one_gets_a_fresh_resource) {
  shop.script = "kek";
  rt.block_on([&]() -> task<> {
    auto c = start();
    BOOST_TEST((co_await ask(c, 1)) == "1 by 1");
    BOOST_TEST((co_await ask(c, 2)) == make_error_code(errc::end_of_stream).message());
    BOOST_TEST((co_await ask(c, 3)) == "3 by 2");
    BOOST_TEST(shop.opened == 2);
    BOOST_REQUIRE(failures.size() == 1U);
    BOOST_TEST((failures[0] == errc::end_of_stream));
  });
}

BOOST_AUTO_TEST_CASE(a_resource_that_cannot_be_opened_fails_that_request) {
  shop.open_failures = 1;
  rt.block_on([&]() -> task<> {
    auto c = start();
    BOOST_TEST((co_await ask(c, 1)) == "Connection refused");
    BOOST_TEST((co_await ask(c, 2)) == "2 by 1");
  });
}

BOOST_AUTO_TEST_CASE(another_exception_is_receiver_failed_and_a_line_in_the_log) {
  shop.script = "t";
  test::captured_log lines;
  rt.block_on([&]() -> task<> {
    auto c = start();
    auto answer = co_await c.ask(job_number{1});
    BOOST_TEST((answer.error() == ask_errc::receiver_failed));
    BOOST_TEST((co_await ask(c, 2)) == "2 by 2");
  });
  BOOST_TEST(lines.count("a coordinator's resource has failed: a spring broke") == 1U);
}

BOOST_AUTO_TEST_CASE(a_requester_that_has_left_the_queue_costs_nothing) {
  rt.block_on([&]() -> task<> {
    auto c = start();
    auto first = spawn(ask, c, 1), second = spawn(ask, c, 2);
    co_await sleep_for(2ms);
    co_await second.cancel();
    BOOST_TEST((co_await first) == "1 by 1");
    time_point before = now();
    BOOST_TEST((co_await ask(c, 3)) == "3 by 1");
    BOOST_TEST((now() - before < 15ms));
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::actors
