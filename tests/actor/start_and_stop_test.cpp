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

#include <actor/fragile.hpp>
#include <collected_failures.hpp>
#include <sched/virtual_worker.hpp>

namespace troupe {

using namespace std::chrono_literals;

namespace {

using lines = std::vector<std::string>;

struct ping {};
struct work {};

// What happens in which order, whenever the thread that shuts down comes in between.
struct story {
  lines log;
  int helpers_left = 0;
  event helpers_have_stopped;
};

// Ended by the end of the runtime, whenever it was made.
class helper : public actor {
public:
  explicit helper(story& of) : of_{&of} { ++of.helpers_left; }
  int on(ping) { return 1; }
  task<> on_stop() {
    co_await sleep_for(1ms);
    of_->log.push_back("helper stopped");
    if (--of_->helpers_left == 0) of_->helpers_have_stopped.set();
  }

private:
  story* of_;
};

// For ten milliseconds; or past all helpers, when nobody waits for it.
task<> take_a_while(story* of, bool is_awaited) {
  if (is_awaited) {
    co_await sleep_for(10ms);
  } else {
    co_await of->helpers_have_stopped.wait();
  }
  of->log.push_back("task done");
}

// Spawns in its last moments.
class busy_to_the_end : public actor {
public:
  busy_to_the_end(story& of, bool waits_for_them) : of_{&of}, waits_{waits_for_them} {}
  int on(ping) { return 1; }
  task<> on(work) {
    co_await spawn_both();
    of_->log.push_back("worked");
  }
  task<> on_stop() {
    co_await spawn_both();
    of_->log.push_back("stopped");
  }

private:
  task<> spawn_both() {
    auto h = spawn<helper>(*of_);
    auto running = spawn(&take_a_while, of_, waits_);
    BOOST_TEST((co_await h.ask(ping{})) == 1);
    if (waits_) {
      co_await running;
      h.stop();
      co_await h.ended();
    } else {
      running.detach();
      kept_.push_back(h);
    }
  }
  story* of_;
  bool waits_;
  std::vector<ref<helper>> kept_;
};

// Fail before their first message.
class ill_fated_plain : public actor {
public:
  explicit ill_fated_plain(int& failures_left) : failures_left_{&failures_left} {}
  void on_start() {
    if ((*failures_left_)-- > 0) throw std::runtime_error{"no start"};
  }
  int on(ping) { return 1; }

private:
  int* failures_left_;
};
class ill_fated_slow : public actor {
public:
  explicit ill_fated_slow(int& failures_left) : failures_left_{&failures_left} {}
  task<> on_start() {
    co_await sleep_for(1ms);
    if ((*failures_left_)-- > 0) throw std::runtime_error{"no start"};
  }
  int on(ping) { return 1; }

private:
  int* failures_left_;
};

template <class A>
class observer : public actor {
public:
  explicit observer(lines& heard) : heard_{&heard} {}
  void on(const ref<A>& whom) { self(this).monitor(whom); }
  void on(const down& d) { heard_->push_back(to_string(d.why)); }

private:
  lines* heard_;
};

template <class T>
boost::system::error_code code_of(const result<T>& outcome) {
  return outcome.has_error() ? outcome.error() : boost::system::error_code{};
}

lines shut_down_with(bool waits, bool drains) {
  story told;
  test::virtual_worker one;
  std::optional<ref<busy_to_the_end>> b;
  one.rt.block_on([&]() -> task<> {
    b = spawn<busy_to_the_end>(actor_options{.drain = drains}, told, waits);
    BOOST_TEST((co_await b->ask(ping{})) == 1);
    if (!drains) co_return;
    BOOST_TEST(b->try_send(work{}).has_value());
    b->stop();  // Before it comes to that.
    co_await b->ended();
  });
  BOOST_TEST(one.rt.shut_down(1h).empty());
  return told.log;
}

template <class A>
task<> fail_alone() {
  lines heard;
  int failures_left = 1;
  auto a = spawn<A>(failures_left);
  auto o = spawn<observer<A>>(heard);
  co_await o.send(a);
  auto asked = co_await a.ask(ping{}).as_result();
  BOOST_TEST((code_of(asked) == ask_errc::receiver_gone));
  exit_reason why = co_await a.ended();
  BOOST_TEST((why.kind == exit_kind::failed));
  co_await sleep_for(1us);
  BOOST_TEST(heard == lines{"failed: no start"}, boost::test_tools::per_element());
}

template <class A>
task<> fail_below(int times) {
  lines heard;
  int failures_left = times;
  auto root = spawn<supervisor>();
  auto a = spawn_child<A>(root, std::ref(failures_left));
  auto o = spawn<observer<A>>(heard);
  co_await o.send(a);
  auto asked = co_await a.ask(ping{}).as_result();
  if (times <= 3) {
    BOOST_TEST(asked.has_value());  // The request was not begun: it is kept.
    root.stop();
  } else {
    BOOST_TEST((code_of(asked) == ask_errc::receiver_gone));
  }
  co_await root.ended();
  co_await sleep_for(1us);
  // One for each incarnation that has failed and is followed by another, and one for the end; that
  // of the last failure is told twice, since it was to be followed by another one.
  lines wanted(static_cast<std::size_t>(times), "failed: no start");
  wanted.push_back(times <= 3 ? "stopped" : "failed: no start");
  BOOST_TEST(heard == wanted, boost::test_tools::per_element());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(stopping_)

BOOST_AUTO_TEST_CASE(on_stop_may_spawn_tasks_and_actors_and_wait_for_them) {
  lines wanted{"task done", "helper stopped", "stopped"};
  BOOST_TEST(shut_down_with(true, false) == wanted, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_on_stop_has_spawned_ends_before_the_runtime) {
  lines wanted{"stopped", "helper stopped", "task done"};
  BOOST_TEST(shut_down_with(false, false) == wanted, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_handler_that_is_run_by_drain_may_spawn_too) {
  lines wanted{"task done", "helper stopped", "worked", "task done", "helper stopped", "stopped"};
  BOOST_TEST(shut_down_with(true, true) == wanted, boost::test_tools::per_element());
  wanted = {"worked", "stopped", "helper stopped", "helper stopped", "task done", "task done"};
  BOOST_TEST(shut_down_with(false, true) == wanted, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(starting_, test::virtual_worker)

BOOST_AUTO_TEST_CASE(life_exception_in_on_start_is_told_to_all) {
  test::collected_failures failures;
  rt.block_on([]() -> task<> {
    co_await fail_alone<ill_fated_plain>();
    co_await fail_alone<ill_fated_slow>();
  });
  BOOST_TEST(failures.texts() == (lines{"no start", "no start"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(life_exception_in_on_start_is_the_supervisors) {
  test::silence quiet;
  test::collected_failures failures;
  rt.block_on([]() -> task<> {
    co_await fail_below<ill_fated_plain>(2);
    co_await fail_below<ill_fated_slow>(2);
  });
  BOOST_TEST(failures.texts().empty());
  rt.block_on([]() -> task<> {
    co_await fail_below<ill_fated_plain>(4);
    co_await fail_below<ill_fated_slow>(4);
  });
  BOOST_REQUIRE(failures.texts().size() == 2u);
  for (const std::string& each : failures.texts()) {
    BOOST_TEST(each.find("failed: no start") != std::string::npos, each);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
