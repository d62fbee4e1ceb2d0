#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <boost/test/unit_test.hpp>

#include <troupe/actor/actor.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/mpsc.hpp>
#include <troupe/task/context.hpp>
#include <troupe/task/core.hpp>
#include <troupe/task/yield.hpp>

#include <sched/two_workers.hpp>
#include <sched/virtual_worker.hpp>
#include <threads.hpp>

// What becomes of a send or an ask while it waits, and of a request while it lies in the mailbox.

namespace troupe {

using namespace std::chrono_literals;

namespace {

struct compute {
  pal::virtual_clock* clock;
  duration length;
};
struct next {};
struct late {};
struct wait_for {
  event* until;
};
struct look {};
struct nothing {};

class counter : public actor {
public:
  void on(compute m) { (void)m.clock->jump_to(m.clock->now() + m.length); }
  int on(next) { return ++runs_; }
  void on(late, reply<int> back) { back.answer(++runs_); }
  task<int> on(wait_for m) {
    co_await m.until->wait();
    saw_gone_ = self().caller_gone();
    co_return ++runs_;
  }
  bool on(look) { return saw_gone_ || self().caller_gone(); }
  void on(nothing) { saw_gone_ = self().caller_gone(); }

private:
  int runs_ = 0;
  bool saw_gone_ = false;
};

// Passes requests on.
class front : public actor {
public:
  explicit front(ref<counter> behind) : behind_{std::move(behind)} {}
  void on(next m, reply<int> back) { behind_.delegate(m, std::move(back)); }
  void on(wait_for m, reply<int> back) { behind_.delegate(m, std::move(back)); }

private:
  ref<counter> behind_;
};

struct ask_on {
  event* until;
};

// Asks on, with the deadline that it has been given.
class middle : public actor {
public:
  explicit middle(ref<counter> behind) : behind_{std::move(behind)} {}
  task<int> on(ask_on m) {
    wait_for behind{m.until};
    auto answer = co_await behind_.ask(behind).as_result();
    co_return answer.has_value() ? *answer : -1;
  }

private:
  ref<counter> behind_;
};

class doorman : public actor {
public:
  explicit doorman(ref<middle> to) : to_{std::move(to)} {}
  void on(ask_on m, reply<int> back) { to_.delegate(m, std::move(back)); }

private:
  ref<middle> to_;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(waits_, test::virtual_worker)

BOOST_AUTO_TEST_CASE(ask_deadline_what_has_expired_in_the_mailbox_is_not_run) {
  rt.block_on([this]() -> task<> {
    auto c = spawn<counter>();
    co_await c.send(compute{&clock, 100ms});
    auto expired = co_await c.ask(next{}, within(10ms)).as_result();
    BOOST_TEST((expired.error() == ask_errc::expired));
    co_await c.send(compute{&clock, 100ms});
    auto with_reply = co_await c.ask(late{}, within(10ms)).as_result();
    BOOST_TEST((with_reply.error() == ask_errc::expired));
    auto f = spawn<front>(c);
    co_await c.send(compute{&clock, 100ms});
    auto passed_on = co_await f.ask(next{}, within(10ms)).as_result();
    BOOST_TEST((passed_on.error() == ask_errc::expired));
    BOOST_TEST((co_await c.ask(next{}, within(10ms))) == 1);
  });
}

BOOST_AUTO_TEST_CASE(ask_deadline_goes_with_a_request_that_is_passed_on) {
  rt.block_on([]() -> task<> {
    event until, open;
    open.set();
    auto c = spawn<counter>();
    auto m = spawn<middle>(c);
    auto d = spawn<doorman>(m);
    time_point before = now();
    (void)co_await d.ask(ask_on{&until}, within(40ms)).as_result();
    // What it has asked on is given up with it, and not 5 s later.
    auto free_again = co_await m.ask(ask_on{&open}, within(1ms)).as_result();
    BOOST_TEST((free_again.has_value() || free_again.error() == ask_errc::timeout));
    BOOST_TEST((now() - before <= 42ms));
    until.set();
  });
}

BOOST_AUTO_TEST_CASE(delivery_once_what_was_sent_and_is_passed_on_is_run_too) {
  rt.block_on([]() -> task<> {
    auto c = spawn<counter>();
    auto f = spawn<front>(c);
    co_await f.send(next{});
    co_await sleep_for(1us);
    BOOST_TEST((co_await c.ask(next{})) == 2);
  });
}

BOOST_AUTO_TEST_CASE(ask_caller_dies_is_seen_by_a_handler_that_looks) {
  rt.block_on([]() -> task<> {
    event until;
    auto c = spawn<counter>();
    BOOST_TEST(!(co_await c.ask(look{})));
    (void)co_await c.ask(wait_for{&until}, within(1ms)).as_result();
    until.set();
    BOOST_TEST((co_await c.ask(look{})));
    co_await c.send(nothing{});
    BOOST_TEST(!(co_await c.ask(look{})));
    auto f = spawn<front>(c);
    event later;
    (void)co_await f.ask(wait_for{&later}, within(1ms)).as_result();
    later.set();
    BOOST_TEST((co_await c.ask(look{})));
  });
}

namespace {

struct letter {};
int letters_in_the_wrong_box = 0;

class box : public actor {
public:
  task<> on(wait_for m) { co_await m.until->wait(); }
  void on(letter) { ++letters_in_the_wrong_box; }
};

class other_box : public actor {
public:
  void on(nothing) {}
};

// Somebody waits for room in an actor that ends meanwhile, and whose block others get.
void recycle_under_a_sender(std::uint64_t seed) {
  pal::virtual_clock clock;
  runtime_config config;
  config.workers = 1;
  config.clock = &clock;
  config.network = false;
  config.seed = seed;
  runtime rt{config};
  rt.block_on([]() -> task<> {
    event until;
    std::optional<ref<box>> to{spawn<box>(actor_options{.capacity = 1})};
    co_await to->send(wait_for{&until});
    while (!to->try_send(wait_for{&until}).has_value()) co_await yield();
    auto sends = spawn([&]() -> task<bool> {
      auto outcome = co_await to->send(letter{}).as_result();
      co_return outcome.has_error() && outcome.error() == ask_errc::receiver_gone;
    });
    co_await sleep_for(1ms);
    to->kill();
    to.reset();
    std::vector<ref<other_box>> others;
    for (int i = 0; i < 10; ++i) {
      others.push_back(spawn<other_box>());
      co_await yield();
    }
    BOOST_TEST((co_await sends));
    until.set();
  });
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_sender_that_waits_for_room_holds_on_to_the_actor) {
  letters_in_the_wrong_box = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) recycle_under_a_sender(seed);
  BOOST_TEST(letters_in_the_wrong_box == 0);
}

namespace {

struct meet {
  event* until;
};
struct fill {};

class partner : public actor {
public:
  void on(ref<partner> other) { other_.emplace(std::move(other)); }
  // Sends into the full mailbox of one that waits for this one, step by step.
  task<std::string> on(meet m) {
    co_await m.until->wait();
    auto sending = other_->send(fill{});
    sending.await_alone();
    bool is_sent = sending.poll();
    auto key = detail::current_context()->current->current_waker();
    bool waits = !is_sent && sending.enlist(key);
    if (is_sent || waits) co_return "no cycle was seen";
    sending.delist();
    other_->kill();
    co_await other_->ended();
    if (!sending.poll()) co_return "it goes on waiting";
    try {
      sending.throw_in_words();
      sending.take().value();
    } catch (const system_error& e) {
      co_return std::string{e.what()};
    }
    co_return "sent";
  }
  task<> on(wait_for m) {
    co_await m.until->wait();
    meet never{nullptr};
    (void)co_await other_->ask(never).as_result();
  }
  void on(fill) {}

private:
  std::optional<ref<partner>> other_;
};

}  // namespace

// What ends a wait first is what it tells.
BOOST_AUTO_TEST_CASE(ask_cycle_is_not_told_of_when_the_wait_has_ended_otherwise) {
  rt.block_on([]() -> task<> {
    event until;
    auto a = spawn<partner>();
    auto b = spawn<partner>(actor_options{.capacity = 1});
    co_await a.send(ref<partner>{b});
    co_await b.send(ref<partner>{a});
    auto of_a = spawn([&]() -> task<std::string> { co_return co_await a.ask(meet{&until}); });
    co_await sleep_for(1ms);
    co_await b.send(wait_for{&until});
    co_await sleep_for(1ms);
    co_await b.send(fill{});  // It is full.
    until.set();
    std::string told = co_await of_a;
    BOOST_TEST(told.find("ended") != std::string::npos, told);
    BOOST_TEST(told.find("->") == std::string::npos, told);
    a.kill();
    co_await a.ended();
  });
}

BOOST_AUTO_TEST_SUITE_END()

namespace {

struct park {};
struct ask_to_park {
  bool is_busy;  // The other one has mail, so that the request is handled on its own turn.
  detail::task_core** asks = nullptr;  // Where to say which task asks.
};
struct ask_back {};
struct be_held_up {
  event* until;
};

// Keeps the right to answer elsewhere, and asks who waits for that answer.
class keeper : public actor {
public:
  explicit keeper(sender<reply<int>> kept) : kept_{std::move(kept)} {}
  void on(ref<keeper> other) { other_.emplace(std::move(other)); }
  void on(park, reply<int> back) { (void)kept_.try_send(std::move(back)); }
  task<> on(be_held_up m) { co_await m.until->wait(); }
  task<std::string> on(ask_to_park m) {
    if (m.asks != nullptr) *m.asks = detail::current_context()->current;
    if (m.is_busy) (void)other_->try_send(nothing{});
    auto answer = co_await other_->ask(park{}).as_result();
    if (answer.has_value()) co_return "answered";
    co_return answer.error().message();
  }
  task<std::string> on(ask_back) {
    auto answer = co_await other_->ask(look{}).as_result();
    if (answer.has_value()) co_return "answered";
    co_return answer.error().message();
  }
  int on(look) { return 0; }
  void on(nothing) {}

private:
  sender<reply<int>> kept_;
  std::optional<ref<keeper>> other_;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(waits_for_replies_, test::virtual_worker)

BOOST_AUTO_TEST_CASE(ask_cycle_does_not_count_a_reply_that_is_given_away) {
  rt.block_on([]() -> task<> {
    auto [kept, replies] = mpsc<reply<int>>(4);
    auto a = spawn<keeper>(kept), b = spawn<keeper>(kept);
    co_await a.send(ref<keeper>{b});
    co_await b.send(ref<keeper>{a});
    for (bool is_busy : {false, true}) {
      auto asks = spawn(
          [a, is_busy]() -> task<std::string> { co_return co_await a.ask(ask_to_park{is_busy}); });
      auto one = co_await replies.recv();
      auto back = spawn([b]() -> task<std::string> { co_return co_await b.ask(ask_back{}); });
      co_await sleep_for(1s);  // Sweeps make them look again meanwhile.
      BOOST_TEST(!back.done());
      one->answer(1);
      BOOST_TEST((co_await asks) == "answered");
      BOOST_TEST((co_await back) == "answered");
    }
    a.kill();
    b.kill();
    co_await a.ended();
    co_await b.ended();
  });
}

// Who asks is woken for another reason, and the reply<T> is made before it waits again: what was
// made has not found the waker of the wait that comes.
BOOST_AUTO_TEST_CASE(ask_cycle_does_not_count_a_reply_that_is_given_away_between_two_waits) {
  rt.block_on([]() -> task<> {
    auto [kept, replies] = mpsc<reply<int>>(4);
    auto a = spawn<keeper>(kept), b = spawn<keeper>(kept);
    co_await a.send(ref<keeper>{b});
    co_await b.send(ref<keeper>{a});
    event open;
    co_await b.send(be_held_up{&open});
    detail::task_core* asking = nullptr;
    auto asks = spawn([a, to = &asking]() -> task<std::string> {
      ask_to_park parking{false, to};
      co_return co_await a.ask(parking);
    });
    co_await sleep_for(1us);  // It sleeps, and its request lies in a mailbox.
    asking->nudge();
    open.set();  // Its receiver goes on before it.
    auto one = co_await replies.recv();
    auto back = spawn([b]() -> task<std::string> { co_return co_await b.ask(ask_back{}); });
    co_await sleep_for(1s);
    BOOST_TEST(!back.done());
    one->answer(1);
    BOOST_TEST((co_await asks) == "answered");
    BOOST_TEST((co_await back) == "answered");
    a.kill();
    b.kill();
    co_await a.ended();
    co_await b.ended();
  });
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(waits_race_, test::two_workers)

// Goal:   a wait for a reply<T> that somebody else has is never taken for one for its actor.
// Method: the actor gives the reply<T> away on one worker while its caller goes to sleep on the
//         other, and then asks that one; the answer comes when both wait.
BOOST_AUTO_TEST_CASE(ask_cycle_does_not_count_a_reply_that_is_given_away_meanwhile) {
  const std::size_t rounds = test::rounds(2'000);
  rt.block_on([&]() -> task<> {
    auto [kept, replies] = mpsc<reply<int>>(4);
    auto a = spawn<keeper>(kept), b = spawn<keeper>(kept);
    co_await a.send(ref<keeper>{b});
    co_await b.send(ref<keeper>{a});
    for (std::size_t i = 0; i < rounds; ++i) {
      auto asks = spawn([a, is_busy = i % 2 == 1]() -> task<std::string> {
        co_return co_await a.ask(ask_to_park{is_busy});
      });
      auto one = co_await replies.recv();
      auto back = spawn([b]() -> task<std::string> { co_return co_await b.ask(ask_back{}); });
      for (int turn = 0; turn < 3; ++turn) co_await yield();
      one->answer(1);
      std::string told = co_await asks, told_back = co_await back;
      BOOST_REQUIRE_MESSAGE(told == "answered", told);
      BOOST_REQUIRE_MESSAGE(told_back == "answered", told_back);
    }
    a.kill();
    b.kill();
    co_await a.ended();
    co_await b.ended();
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
