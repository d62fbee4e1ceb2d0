#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/actor/actor.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sync/event.hpp>

#include <sched/virtual_worker.hpp>

// What comes into a mailbox that is full, and what goes on beside it.

namespace troupe {

using namespace std::chrono_literals;

namespace {

using lines = std::vector<std::string>;

struct answer {
  event* when;
};
struct number {
  int value;
};
struct tick {};
struct pass_on {
  event* when;
};
struct hold {
  event* until;
};

class server : public actor {
public:
  task<int> on(answer m) {
    co_await m.when->wait();
    co_return 7;
  }
};

class clerk : public actor {
public:
  clerk(lines& log, ref<server> behind) : log_{&log}, behind_{std::move(behind)} {}
  void on_start() {
    self(this).monitor(behind_);
    (void)self(this).send_after(10ms, tick{});
    (void)self(this).send_every(20ms, tick{});
  }
  task<int> on(pass_on m) { co_return co_await behind_.ask(answer{m.when}); }
  task<> on(hold m) { co_await m.until->wait(); }
  void on(number m) { log_->push_back(std::to_string(m.value)); }
  int on(const std::string& text) { return static_cast<int>(text.size()); }
  void on(tick) { log_->push_back("tick"); }
  void on(const down&) { log_->push_back("down"); }

private:
  lines* log_;
  ref<server> behind_;
};

ref<clerk> small_clerk(lines& log, const ref<server>& behind) {
  return spawn<clerk>(actor_options{.capacity = 2}, log, behind);
}

void fill(const ref<clerk>& c) {
  for (int i = 1; i <= 2; ++i) BOOST_TEST(c.try_send(number{i}).has_value());
  BOOST_TEST(!c.try_send(number{3}).has_value());
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(mailbox_, test::virtual_worker)

BOOST_AUTO_TEST_CASE(mailbox_lanes_an_answer_reaches_who_has_a_full_mailbox) {
  lines log;
  rt.block_on([&]() -> task<> {
    event when;
    auto s = spawn<server>();
    auto c = small_clerk(log, s);
    auto asking = spawn([&]() -> task<int> { co_return co_await c.ask(pass_on{&when}); });
    co_await sleep_for(1ms);
    fill(c);
    when.set();
    BOOST_TEST((co_await asking) == 7);
    co_await sleep_for(1ms);
    BOOST_TEST(log == (lines{"1", "2"}), boost::test_tools::per_element());
  });
}

// Both kinds of timers, and a monitor: each in the order of the mail, and none takes room.
BOOST_AUTO_TEST_CASE(mailbox_lanes_ticks_and_downs_come_into_a_full_mailbox) {
  lines log;
  rt.block_on([&]() -> task<> {
    event until;
    auto s = spawn<server>();
    auto c = small_clerk(log, s);
    co_await c.send(hold{&until});
    co_await sleep_for(1ms);
    fill(c);
    co_await sleep_for(14ms);
    s.stop();
    co_await s.ended();
    co_await sleep_for(10ms);
    BOOST_TEST(!c.try_send(number{3}).has_value());
    until.set();
    co_await sleep_for(1ms);
    BOOST_TEST(log == (lines{"1", "2", "tick", "down", "tick"}), boost::test_tools::per_element());
    fill(c);
    c.stop();
    co_await c.ended();
  });
}

BOOST_AUTO_TEST_CASE(mailbox_bounded_what_nobody_waits_for_keeps_its_room_until_it_is_taken) {
  lines log;
  rt.block_on([&]() -> task<> {
    event until;
    auto s = spawn<server>();
    auto c = small_clerk(log, s);
    co_await c.send(hold{&until});
    co_await sleep_for(1ms);
    auto asking = spawn([&]() -> task<> { (void)co_await c.ask(std::string{"abc"}); });
    auto in_time = spawn([&]() -> task<int> { co_return co_await c.ask(std::string{"ab"}); });
    co_await sleep_for(1ms);
    BOOST_TEST(!c.try_send(number{1}).has_value());
    co_await asking.cancel();
    BOOST_TEST(!c.try_send(number{1}).has_value());
    until.set();
    BOOST_TEST((co_await in_time) == 2);
    fill(c);
    c.stop();
    co_await c.ended();
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
