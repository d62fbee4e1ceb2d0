#include <chrono>
#include <optional>
#include <string>

#include <boost/test/unit_test.hpp>

#include <troupe/actor/actor.hpp>
#include <troupe/observe/snapshot.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/yield.hpp>

namespace troupe {

using namespace std::chrono_literals;

namespace {

struct hold {
  using reply = int;
};
struct pass {
  using reply = int;
};
struct note {};

class holder : public actor {
public:
  explicit holder(event& until) : until_{&until} {}
  task<int> on(hold) {
    co_await until_->wait();
    co_return 1;
  }
  void on(note) {}

private:
  event* until_;
};

class passer : public actor {
public:
  explicit passer(ref<holder> to) : to_{std::move(to)} {}
  task<int> on(pass) { co_return co_await to_.ask(hold{}, no_deadline); }

private:
  ref<holder> to_;
};

actor_options named(const char* name) {
  actor_options options;
  options.name = name;
  return options;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

runtime_config one_worker() {
  runtime_config config;
  config.workers = 1;
  return config;
}

// A chain of two actors, the second of which waits for `until`, with a message behind that.
struct chain {
  event until;
  std::optional<ref<passer>> first;
  std::optional<join_handle<void>> asking;

  task<> begin() {
    auto last = spawn<holder>(named("last"), until);
    first = spawn<passer>(named("first"), last);
    asking = spawn([this]() -> task<> { (void)co_await first->ask(pass{}, no_deadline); });
    while (actors_of(*scheduler::current()).size() < 2 || !is_settled()) co_await yield();
    BOOST_TEST(last.try_send(note{}).has_value());
  }
  static bool is_settled() {
    std::size_t waiting = 0;
    for (const auto& each : actors_of(*scheduler::current())) waiting += !each.waits_for.empty();
    return waiting == 2;
  }
  task<> end() {
    until.set();
    co_await *asking;
    first.reset();
  }
};

const actor_report& of_name(const std::vector<actor_report>& all, const std::string& name) {
  for (const auto& each : all) {
    if (each.name == name) return each;
  }
  throw std::runtime_error{"no actor is called " + name};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(snapshot_)

BOOST_AUTO_TEST_CASE(tells_of_each_actor_its_mail_its_handler_and_whom_it_waits_for) {
  runtime rt{one_worker()};
  chain c;
  rt.block_on([&] { return c.begin(); });
  auto all = rt.actors();
  BOOST_TEST_REQUIRE(all.size() == 2u);
  const actor_report& first = of_name(all, "first");
  BOOST_TEST(contains(first.class_name, "passer"));
  BOOST_TEST(contains(first.handles, "pass"));
  BOOST_TEST(first.awaits == "last");
  BOOST_TEST(contains(first.waits_at, "snapshot_test.cpp:"));
  const actor_report& last = of_name(all, "last");
  BOOST_TEST(last.mail == 2u);  // The one that is handled has its room until more are begun.
  BOOST_TEST(last.waits_for == "an event");
  BOOST_TEST(contains(to_string(last), "last ("));
  BOOST_TEST(contains(to_string(last), "): mailbox 2/1024, in on("));
  rt.block_on([&] { return c.end(); });
}

BOOST_AUTO_TEST_CASE(dump_shows_workers_actors_tasks_and_chains) {
  runtime rt{one_worker()};
  chain c;
  rt.block_on([&] { return c.begin(); });
  std::string text = rt.dump();
  BOOST_TEST(contains(text, "worker 0: idle\n"));
  BOOST_TEST(contains(text, "2 actors\n"));
  BOOST_TEST(contains(text, "3 tasks\n"));  // Two handlers, and who has asked.
  BOOST_TEST(contains(text, "who waits for whom:\n  first -> last\n"));
  BOOST_TEST(contains(text, "of actor last at "));
  rt.block_on([&] { return c.end(); });
  BOOST_TEST(contains(rt.dump(), "0 tasks\n"));
}

BOOST_AUTO_TEST_CASE(dump_tells_what_a_worker_runs) {
  runtime rt{one_worker()};
  std::string text = rt.block_on([&]() -> task<std::string> { co_return rt.dump(); });
  BOOST_TEST(contains(text, "worker 0: in task spawned at "));
}

// Waits inside of a time limit are no edges that fail at once, so two actors may wait in a circle.
BOOST_AUTO_TEST_CASE(side_tasks_name_the_actor_that_they_work_for) {
  struct begin {
    event* until;
  };
  class spawner : public actor {
  public:
    void on(begin m) {
      self().spawn([until = m.until]() -> task<> { co_await until->wait(); });
    }
  };
  event until;
  runtime rt{one_worker()};
  std::optional<ref<spawner>> held;
  rt.block_on([&]() -> task<> {
    held = spawn<spawner>(named("busy"));
    begin message{&until};
    co_await held->ask(take(message));
  });
  bool found = false;
  for (const auto& each : rt.tasks()) {
    found |= each.actor == "busy" && contains(to_string(each), "a task of actor busy, spawned at ");
  }
  BOOST_TEST(found);
  until.set();
  BOOST_TEST(rt.shut_down(1h).empty());
  held.reset();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
