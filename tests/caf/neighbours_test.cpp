#include <chrono>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/actor/actor.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/task/yield.hpp>

#include <captured_log.hpp>
#include <collected_failures.hpp>

#include "caf_fixture.hpp"

namespace troupe {

namespace {

using ::caf::behavior;
using ::caf::event_based_actor;
using namespace std::chrono_literals;
using test::answers;
using test::one_worker;
using test::two_of_them;

struct add {
  int amount;
};
struct total {
  using reply = int;
};
struct page {
  std::string text;
  std::vector<int> numbers;
};
struct lookup {
  std::string name;
  int depth;
};
struct local_only {  // CAF cannot inspect it.
  std::shared_ptr<int> shared;
};
struct crash {
  using reply = int;
};
struct forget {
  using reply = int;
};

using summing = protocol<add, total, page(lookup), int(local_only), crash, forget>;

class counter : public actor {
public:
  void on(add m) { sum_ += m.amount; }
  int on(total) { return sum_; }
  page on(lookup m) { return {m.name + "!", std::vector<int>(std::size_t(m.depth), sum_)}; }
  int on(local_only m) { return *m.shared; }
  int on(crash) { throw std::runtime_error{"sum is broken"}; }
  void on(forget, reply<int>) {}

private:
  int sum_ = 0;
};

behavior caf_counter(::caf::stateful_actor<int>* self) {
  self->state = 0;
  return {[=](const add& m) { self->state += m.amount; },
          [=](total) { return self->state; },
          [=](const lookup& m) {
            return page{m.name + "?", std::vector<int>(std::size_t(m.depth), self->state)};
          },
          [=](const local_only& m) { return *m.shared + 1; },
          [=](crash) -> int { throw std::runtime_error{"caf is broken"}; },
          [=](forget) -> ::caf::result<int> {
            (void)self->make_response_promise();
            return ::caf::delegated<int>{};
          }};
}

template <class T>
bool is(const result<T>& failed, ask_errc code) {
  if (!failed && failed.error() == code) return true;
  BOOST_TEST_MESSAGE((failed ? std::string{"no error"} : failed.error().message()));
  return false;
}

// What an await throws, in words.
template <class Op>
task<std::string> words_of(Op asked) {
  try {
    (void)co_await asked;
    co_return "";
  } catch (const std::exception& error) {
    co_return error.what();
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(from_caf_, *boost::unit_test::label("caf"))

BOOST_FIXTURE_TEST_CASE(sends_and_asks_with_plain_structs, two_of_them) {
  rt.block_on([&]() -> task<> {
    caf_system system{config};
    auto to = from_caf<summing>(system, system->spawn(caf_counter));
    add two{2};
    for (int i = 0; i < 100; ++i) co_await to.send(two);
    BOOST_TEST(co_await to.ask(total{}) == 200);
    lookup what{"x", 3};
    page found = co_await to.ask(what);
    BOOST_TEST(found.text == "x?");
    BOOST_TEST(found.numbers == std::vector<int>(3, 200));
    local_only with{std::make_shared<int>(6)};
    BOOST_TEST(co_await to.ask(with) == 7);
    {
      auto dropped = std::move(to);
    }
    co_await system.shut_down();
  });
}

BOOST_FIXTURE_TEST_CASE(gives_typed_errors_with_words, one_worker) {
  rt.block_on([&]() -> task<> {
    caf_system system{config};
    auto wrong = system->spawn([](event_based_actor*) -> behavior {
      return {[](total) { return std::string{"many"}; }, [](const add&) {},
              [](crash) -> ::caf::error { return make_error(::caf::sec::bad_function_call); }};
    });
    using asked = protocol<int(add), total, crash, page(lookup)>;
    auto to = from_caf<asked>(system, wrong);
    lookup what{"x", 3};
    auto unhandled = co_await to.ask(what).as_result();
    BOOST_TEST(is(unhandled, ask_errc::rejected));
    auto typed = co_await to.ask(total{}).as_result();
    BOOST_TEST(is(typed, ask_errc::receiver_failed));
    std::string words = co_await words_of(to.ask(total{}));
    BOOST_TEST(words.find("with (std::string), not with int") != std::string::npos);
    auto refused = co_await to.ask(crash{}).as_result();
    BOOST_TEST(is(refused, ask_errc::receiver_failed));
    words = co_await words_of(to.ask(crash{}));
    BOOST_TEST(words.find("bad_function_call") != std::string::npos);
    ::caf::anon_send_exit(wrong, ::caf::exit_reason::user_shutdown);
    wrong = nullptr;
    co_await system.shut_down();
    auto gone = co_await to.ask(total{}).as_result();
    BOOST_TEST(is(gone, ask_errc::receiver_gone));
  });
}

BOOST_FIXTURE_TEST_CASE(a_dropped_promise_breaks_the_reply_at_once, one_worker) {
  rt.block_on([&]() -> task<> {
    caf_system system{config};
    auto to = from_caf<summing>(system, system->spawn(caf_counter));
    auto broken = co_await to.ask(forget{}, no_deadline).as_result();
    BOOST_TEST(is(broken, ask_errc::broken_reply));
    std::string words = co_await words_of(to.ask(forget{}, no_deadline));
    BOOST_TEST(words.find("the CAF actor dropped the request") != std::string::npos);
    to.stop();
    co_await system.shut_down();
  });
}

BOOST_FIXTURE_TEST_CASE(an_exception_in_a_handler_fails_the_request_and_is_told, one_worker) {
  rt.block_on([&]() -> task<> {
    caf_system system{config};
    auto to = from_caf<summing>(system, system->spawn(caf_counter));
    auto failed = co_await to.ask(crash{}).as_result();
    BOOST_TEST(!failed);
    BOOST_TEST(is(failed, ask_errc::receiver_failed));
    exit_reason why = co_await to.ended();
    BOOST_TEST((why.kind == exit_kind::failed));
    BOOST_TEST(to_string(why).find("the CAF actor has ended") != std::string::npos);
    co_await system.shut_down();
  });
}

BOOST_FIXTURE_TEST_CASE(the_deadline_is_troupes_and_a_late_answer_is_dropped, one_worker) {
  rt.block_on([&]() -> task<> {
    caf_system system{config};
    auto kept = std::make_shared<::caf::response_promise>();
    auto slow = system->spawn([=](event_based_actor* self) -> behavior {
      return {[=](total) {
                *kept = self->make_response_promise();
                return ::caf::delegated<int>{};
              },
              [=](const add&) {
                kept->deliver(1);
                *kept = {};
                self->quit();
              }};
    });
    auto to = from_caf<summing>(system, slow);
    auto late = co_await to.ask(total{}, within(5ms)).as_result();
    BOOST_TEST(is(late, ask_errc::timeout));
    slow = nullptr;
    add any{1};
    co_await to.send(any);
    exit_reason why = co_await to.ended();
    BOOST_TEST((why.kind == exit_kind::stopped));
    co_await system.shut_down();
  });
}

BOOST_FIXTURE_TEST_CASE(kill_and_stop_send_an_exit, one_worker) {
  rt.block_on([&]() -> task<> {
    caf_system system{config};
    for (bool kills : {true, false}) {
      auto [over, ended] = answers<std::string>();
      auto victim =
          system->spawn([](event_based_actor*) -> behavior { return {[](total) { return 1; }}; });
      victim->attach_functor(
          [back = over](const ::caf::error& why) { (void)back->send(to_string(why)); });
      auto to = from_caf<protocol<total>>(system, victim);
      BOOST_TEST(co_await to.ask(total{}) == 1);
      kills ? to.kill() : to.stop();
      std::string why = co_await ended;
      BOOST_TEST(why.find(kills ? "kill" : "user_shutdown") != std::string::npos);
    }
    co_await system.shut_down();
  });
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(to_caf_, *boost::unit_test::label("caf"))

BOOST_FIXTURE_TEST_CASE(caf_actors_send_request_delegate_and_compose, two_of_them) {
  std::vector<std::string> seen;
  rt.block_on([&]() -> task<> {
    caf_system system{config};
    auto [over, ended] = answers<int>();
    auto local = spawn<counter>();
    ::caf::actor proxy = to_caf<summing>(system, local);
    auto passes_on = system->spawn([=](event_based_actor* self) -> behavior {
      return {[=](total m) { return self->delegate(proxy, m); }};
    });
    auto doubles =
        system->spawn([](event_based_actor*) -> behavior { return {[](int x) { return 2 * x; }}; });
    ::caf::actor both = doubles * proxy;
    auto user = system->spawn([&, proxy, passes_on, both, back = over](event_based_actor* self) {
      auto note = [&seen, self, back](std::string answer) {
        seen.push_back(std::move(answer));
        if (seen.size() < 5) return;  // They come in any order.
        (void)back->send(1);
        self->quit();
      };
      self->send(proxy, add{5});
      self->request(proxy, ::caf::infinite, total{}).then([note](int x) {
        note(std::to_string(x));
      });
      self->request(passes_on, ::caf::infinite, total{}).then([note](int x) {
        note("by another " + std::to_string(x));
      });
      self->request(proxy, ::caf::infinite, lookup{"x", 2}).then([note](const page& p) {
        note(p.text + std::to_string(p.numbers.size()));
      });
      self->request(proxy, ::caf::infinite, local_only{std::make_shared<int>(8)})
          .then([note](int x) { note("local " + std::to_string(x)); });
      self->request(both, ::caf::infinite, total{}).then([note](int x) {
        note("doubled " + std::to_string(x));
      });
    });
    co_await ended;
    ::caf::anon_send_exit(passes_on, ::caf::exit_reason::user_shutdown);
    ::caf::anon_send_exit(doubles, ::caf::exit_reason::user_shutdown);
    proxy = both = passes_on = doubles = user = nullptr;
    co_await system.shut_down();
  });
  for (auto want : {"5", "by another 5", "x!2", "local 8", "doubled 10"}) {
    BOOST_TEST(std::count(seen.begin(), seen.end(), want) == 1, want);
  }
}

BOOST_FIXTURE_TEST_CASE(failures_are_errors_of_caf, one_worker) {
  test::collected_failures failures;
  std::vector<std::string> seen;
  rt.block_on([&]() -> task<> {
    caf_system system{config};
    auto [over, ended] = answers<int>();
    auto local = spawn<counter>();
    ::caf::actor proxy = to_caf<summing>(system, local);
    auto told = [&](const ::caf::error& e) { seen.push_back(to_string(e)); };
    auto user = system->spawn([&, proxy, told, back = over](event_based_actor* self) {
      self->request(proxy, ::caf::infinite, std::string{"what"}).then([](int) {}, told);
      self->request(proxy, ::caf::infinite, forget{}).then([](int) {}, told);
      self->request(proxy, ::caf::infinite, crash{})
          .then([](int) {},
                [=](const ::caf::error& e) {
                  told(e);
                  self->request(proxy, ::caf::infinite, total{})
                      .then([](int) {},
                            [=](const ::caf::error& last) {
                              told(last);
                              (void)back->send(1);
                              self->quit();
                            });
                });
    });
    co_await ended;
    proxy = user = nullptr;
    co_await system.shut_down();
  });
  BOOST_REQUIRE(seen.size() == 4u);
  BOOST_TEST(seen[0].find("unexpected_message") != std::string::npos);
  BOOST_TEST(seen[1].find("dropped its reply") != std::string::npos);
  BOOST_TEST(seen[2].find("sum is broken") != std::string::npos);
  BOOST_TEST(seen[3].find("request_receiver_down") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(ends_are_heard_by_monitors_and_links, one_worker) {
  std::vector<std::string> seen;
  rt.block_on([&]() -> task<> {
    caf_system system{config};
    for (bool kills : {false, true}) {
      auto [over, ended] = answers<int>();
      auto local = spawn<counter>();
      ::caf::actor proxy = to_caf<summing>(system, local);
      auto watcher = system->spawn([&, proxy, back = over](event_based_actor* self) -> behavior {
        self->set_down_handler([&, self, back](const ::caf::down_msg& m) {
          seen.push_back("down " + to_string(m.reason));
          (void)back->send(1);
          self->quit();
        });
        self->monitor(proxy);
        return {[](int) {}};
      });
      auto linked = system->spawn([&, proxy](event_based_actor* self) -> behavior {
        self->link_to(proxy);
        return {[](int) {}};
      });
      linked->attach_functor(
          [&](const ::caf::error& e) { seen.push_back("linked " + to_string(e)); });
      co_await yield();
      kills ? local.kill() : local.stop();
      co_await ended;
      if (!kills) ::caf::anon_send_exit(linked, ::caf::exit_reason::user_shutdown);
    }
    co_await system.shut_down();
  });
  for (auto& each : seen) BOOST_TEST_MESSAGE(each);
  BOOST_TEST(seen.size() == 4u);
}

BOOST_FIXTURE_TEST_CASE(an_exit_message_ends_the_actor, one_worker) {
  rt.block_on([&]() -> task<> {
    caf_system system{config};
    for (bool kills : {false, true}) {
      auto local = spawn<counter>(actor_options{.name = "victim"});
      ::caf::actor proxy = to_caf<summing>(system, local);
      ::caf::anon_send_exit(proxy,
                            kills ? ::caf::exit_reason::kill : ::caf::exit_reason::user_shutdown);
      exit_reason why = co_await local.ended();
      BOOST_TEST((why.kind == (kills ? exit_kind::killed : exit_kind::stopped)));
    }
    co_await system.shut_down();
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
