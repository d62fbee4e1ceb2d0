#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/actor/behaviors.hpp>
#include <troupe/actor/protocol.hpp>
#include <troupe/actor/supervisor.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sync/event.hpp>

#include <collected_failures.hpp>
#include <sched/virtual_worker.hpp>
#include <thrown_misuse.hpp>

// An actor whose behavior changes.

namespace troupe {

using namespace std::chrono_literals;

namespace {

struct coin {};
struct push {
  using reply = bool;
};
struct slow_push {
  event* when;
};
struct passed {
  using reply = int;
};
struct jam {};
struct hit {};

struct counts {
  int alive = 0;
  std::vector<std::string> log;
};

class part : public actor {
public:
  explicit part(counts& c) : counts_{&c} { ++counts_->alive; }
  part(const part&) = delete;
  ~part() { --counts_->alive; }

protected:
  counts* counts_;
};

class unlocked : public part {
public:
  using part::part;
  void on(coin) { counts_->log.push_back("coin wasted"); }
  bool on(push);
  task<bool> on(slow_push m);
  void on(jam) {}
};

class stuck : public part {
public:
  explicit stuck(counts& c) : part{c} { throw std::runtime_error{"stuck for good"}; }
  void on(coin) {}
  bool on(push) { return false; }
  task<bool> on(slow_push) { co_return false; }
  void on(jam) {}
};

class locked : public part {
public:
  using part::part;
  void on(coin) {
    self().become<unlocked>(*counts_);
    self().unstash();
    counts_->log.push_back("coin");  // It still is what it was.
  }
  bool on(push m) {
    self().stash(std::move(m));
    return false;
  }
  task<bool> on(slow_push) { co_return false; }
  void on(jam) { self().become<stuck>(*counts_); }
};

bool unlocked::on(push) {
  self().become<stuck>(*counts_);  // Thrown out of here: it stays what it is.
  return true;
}

task<bool> unlocked::on(slow_push m) {
  self().become<locked>(*counts_);
  co_await m.when->wait();
  counts_->log.push_back("slow push");
  co_return true;
}

class turnstile : public behaviors<locked, unlocked, stuck> {
public:
  explicit turnstile(counts& c) : behaviors{c} {}
  int on(passed) { return ++asked_; }
  void on(hit) { throw std::runtime_error{"broken"}; }

private:
  int asked_ = 0;
};

class plain : public actor {
public:
  void on(coin) { self().become<unlocked>(counts_); }

private:
  counts counts_;
};

task<> until_idle() { co_await sleep_for(1us); }

template <class A>
task<> end(ref<A> which) {
  which.stop();
  co_await which.ended();
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(behaviors_, test::virtual_worker)

BOOST_AUTO_TEST_CASE(the_next_message_meets_the_next_behavior) {
  counts c;
  rt.block_on([&]() -> task<> {
    event when;
    auto t = spawn<turnstile>(c);
    BOOST_TEST(!(co_await t.ask<slow_push>(&when)));  // Locked.
    co_await t.send(coin{});
    co_await t.send(coin{});
    BOOST_TEST((co_await t.ask<passed>()) == 1);  // The actor's own handlers stay.
    BOOST_TEST(c.alive == 1);
    BOOST_TEST((c.log == std::vector<std::string>{"coin", "coin wasted"}));
    co_await end(t);
  });
  BOOST_TEST(c.alive == 0);
}

BOOST_AUTO_TEST_CASE(a_coroutine_ends_in_the_behavior_it_began_in) {
  counts c;
  rt.block_on([&]() -> task<> {
    event when;
    auto t = spawn<turnstile>(c);
    co_await t.send(coin{});
    auto slow = [](ref<turnstile> to, event* until) -> task<bool> {
      co_return co_await to.ask<slow_push>(until);
    };
    auto asking = spawn(slow, t, &when);
    co_await until_idle();
    BOOST_TEST(c.alive == 2);
    when.set();
    BOOST_TEST((co_await asking));
    BOOST_TEST(c.log.back() == "slow push");
    BOOST_TEST(!(co_await t.ask<slow_push>(&when)));  // Locked again.
    BOOST_TEST(c.alive == 1);
    co_await end(t);
  });
}

// What was put aside by one behavior is handled by the next.
BOOST_AUTO_TEST_CASE(mail_that_was_put_aside_meets_the_next_behavior) {
  counts c;
  test::collected_failures expected;
  rt.block_on([&]() -> task<> {
    auto t = spawn<turnstile>(c);
    auto ask = [](ref<turnstile> to) -> task<bool> {
      auto answer = co_await to.ask<push>().as_result();
      co_return answer.has_error() && answer.error() == ask_errc::receiver_failed;
    };
    auto asking = spawn(ask, t);
    co_await until_idle();
    co_await t.send(coin{});
    // Unlocked takes it up, and fails in the constructor of what it would become.
    BOOST_TEST((co_await asking));
    co_await t.ended();
  });
  BOOST_TEST(c.alive == 0);
}

BOOST_AUTO_TEST_CASE(a_restart_begins_with_the_first_behavior) {
  counts c;
  rt.block_on([&]() -> task<> {
    event when;
    auto root = spawn<supervisor>();
    auto t = spawn_child<turnstile>(root, std::ref(c));
    co_await t.send(coin{});
    co_await t.send(hit{});
    BOOST_TEST(!(co_await t.ask<slow_push>(&when)));
    BOOST_TEST((co_await t.ask<passed>()) == 1);
    BOOST_TEST(c.alive == 1);
    co_await end(root);
  });
}

BOOST_AUTO_TEST_CASE(a_protocol_takes_what_all_behaviors_take) {
  counts c;
  rt.block_on([&]() -> task<> {
    ref<protocol<coin, passed>> t = spawn<turnstile>(c);
    co_await t.send(coin{});
    int answer = co_await t.ask(passed{});
    BOOST_TEST(answer == 1);
    BOOST_TEST((c.log == std::vector<std::string>{"coin"}));
    co_await end(t);
  });
}

BOOST_AUTO_TEST_CASE(become_in_an_actor_without_behaviors_is_a_misuse) {
  test::thrown_misuse misuses;
  test::collected_failures expected;
  rt.block_on([&]() -> task<> {
    auto p = spawn<plain>();
    co_await p.send(coin{});
    exit_reason why = co_await p.ended();
    BOOST_TEST((why.kind == exit_kind::failed));
  });
  BOOST_TEST(expected.texts().size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
