#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/runtime/runtime.hpp>
#include <troupe/sync/parking_lot.hpp>
#include <troupe/task/operation.hpp>
#include <troupe/task/spawn.hpp>

#include <manual_executor.hpp>
#include <threads.hpp>

namespace troupe::detail {

namespace {

using test::manual_executor;

// Waits at an address until it is woken; passes a wake on that it does not use.
class parked_operation {
public:
  static constexpr const char* name = "a parking place";

  explicit parked_operation(const void* address) noexcept : address_{address} {}

  bool poll() noexcept { return woken_; }
  bool enlist(waker key) noexcept {
    return parking_lot::instance().park(waiter_, address_, key, [] { return true; });
  }
  void delist() noexcept { woken_ |= parking_lot::instance().leave(waiter_); }
  void take() noexcept {}

private:
  const void* address_;
  parked_waiter waiter_;
  bool woken_ = false;
};

task<> wait_at(const void* address, int self, std::vector<int>& woken) {
  parked_operation parked{address};
  co_await parked;
  woken.push_back(self);
}

// Returns: whether the wake found no one left behind it.
bool wake(const void* address, std::size_t max) {
  bool was_last = false;
  parking_lot::instance().wake(address, max, [&] { was_last = true; });
  return was_last;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(parking_lot_)

BOOST_AUTO_TEST_CASE(does_not_park_when_the_condition_fails) {
  parked_waiter waiter;
  int place = 0;
  BOOST_TEST(!parking_lot::instance().park(waiter, &place, waker{}, [] { return false; }));
  BOOST_TEST(!waiter.linked());
  BOOST_TEST(!parking_lot::instance().leave(waiter));
}

BOOST_AUTO_TEST_CASE(leaving_unwoken_is_told_from_leaving_woken) {
  parked_waiter waiter;
  int place = 0;
  auto& lot = parking_lot::instance();
  BOOST_TEST(lot.park(waiter, &place, waker{}, [] { return true; }));
  BOOST_TEST(!lot.leave(waiter));
  BOOST_TEST(!waiter.linked());
  BOOST_TEST(lot.park(waiter, &place, waker{}, [] { return true; }));
  BOOST_TEST(wake(&place, 1));
  BOOST_TEST(lot.leave(waiter));
  BOOST_TEST(!lot.leave(waiter));  // Once.
}

BOOST_AUTO_TEST_CASE(wakes_the_oldest_first_and_no_more_than_asked_for) {
  manual_executor exec;
  int place = 0;
  std::vector<int> woken;
  for (int i = 0; i < 5; ++i) spawn(&wait_at, &place, i, std::ref(woken)).detach();
  exec.run_all();
  BOOST_TEST(!wake(&place, 2));
  exec.run_all();
  BOOST_TEST(woken == (std::vector{0, 1}));
  BOOST_TEST(wake(&place, 3));  // Exactly all: nobody is left.
  exec.run_all();
  BOOST_TEST(woken == (std::vector{0, 1, 2, 3, 4}));
  BOOST_TEST(wake(&place, 1));
}

BOOST_AUTO_TEST_CASE(wakes_more_than_one_batch) {
  manual_executor exec;
  int place = 0;
  std::vector<int> woken;
  for (int i = 0; i < 100; ++i) spawn(&wait_at, &place, i, std::ref(woken)).detach();
  exec.run_all();
  BOOST_TEST(!wake(&place, 70));
  exec.run_all();
  BOOST_TEST(woken.size() == 70u);
  BOOST_TEST(wake(&place, SIZE_MAX));
  exec.run_all();
  BOOST_TEST(woken.size() == 100u);
}

BOOST_AUTO_TEST_CASE(leaves_the_waiters_of_other_addresses_alone) {
  manual_executor exec;
  std::vector<char> places(4096);  // More than there are buckets: some share one.
  std::vector<int> woken;
  for (int i = 0; i < 4096; ++i) {
    spawn(&wait_at, &places[static_cast<std::size_t>(i)], i, std::ref(woken)).detach();
  }
  exec.run_all();
  for (int i = 0; i < 4096; i += 512) BOOST_TEST(wake(&places[static_cast<std::size_t>(i)], 9));
  exec.run_all();
  BOOST_TEST(woken == (std::vector{0, 512, 1024, 1536, 2048, 2560, 3072, 3584}));
  for (char& place : places) (void)wake(&place, 1);
  exec.run_all();
  BOOST_TEST(woken.size() == 4096u);
}

BOOST_AUTO_TEST_CASE(a_stopped_waiter_stands_in_nobodys_way) {
  manual_executor exec;
  int place = 0;
  std::vector<int> woken;
  auto first = spawn(&wait_at, &place, 0, std::ref(woken));
  exec.run_all();
  spawn(&wait_at, &place, 1, std::ref(woken)).detach();
  exec.run_all();
  first.request_stop();
  exec.run_all();
  BOOST_TEST(wake(&place, 1));
  exec.run_all();
  BOOST_TEST(woken == std::vector{1});
}

// Goal:   a wake never finds fewer waiters than there are, whatever they are doing (R1).
// Method: two workers' tasks park; a foreign thread wakes one at a time until all are through.
BOOST_AUTO_TEST_CASE(wakes_from_a_foreign_thread_get_every_waiter_through) {
  const std::size_t count = test::rounds(2'000);
  runtime_config config;
  config.workers = 2;
  runtime rt{config};
  int place = 0;
  pal::atomic<std::size_t> through{0};
  for (std::size_t i = 0; i < count; ++i) {
    rt.spawn([&]() -> task<> {
        parked_operation parked{&place};
        co_await parked;
        through.fetch_add(1);
      }).detach();
  }
  test::wait_until([&] {
    (void)wake(&place, 1);
    return through.load() == count;
  });
  BOOST_TEST(rt.shut_down(std::chrono::hours{1}).empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::detail
