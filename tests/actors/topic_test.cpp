#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <actors/topic.hpp>
#include <troupe/actor/supervisor.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/task/spawn.hpp>

#include <actor/fragile.hpp>
#include <sched/virtual_worker.hpp>

namespace troupe::actors {

using namespace std::chrono_literals;

namespace {

struct article {
  int number;
};
struct seen {
  using reply = std::string;
};
struct crash {};

// Takes its time for each article; notes what it gets: numbers, `m3` for missed, `d2` at the end.
class reader : public actor {
public:
  reader(std::string& log, duration pace) : log_{&log}, pace_{pace} {}

  task<> on(article m) {
    if (pace_ > duration::zero()) co_await sleep_for(pace_);
    *log_ += std::to_string(m.number) + " ";
  }
  void on(missed m) { *log_ += "m" + std::to_string(m.count) + " "; }
  void on(disconnected m) { *log_ += "d" + std::to_string(m.count) + " "; }
  std::string on(seen) { return *log_; }
  void on(crash) { throw std::runtime_error{"a page is torn"}; }

private:
  std::string* log_;
  duration pace_;
};

struct published : test::virtual_worker {
  std::string log, other_log;
  std::optional<ref<topic<article>>> news;

  static ref<reader> start(std::string& log, duration pace, std::uint16_t capacity = 2) {
    actor_options options;
    options.capacity = capacity;
    return spawn<reader>(options, log, pace);
  }
  task<> publish(int first, int last) {
    for (int i = first; i <= last; ++i) co_await news->send(article{i});
  }
  task<topic_totals> totals() { co_return co_await news->ask(count_totals{}); }
  // The clock jumps on when all that can be done is done.
  task<> settle() { co_await sleep_for(1h); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(topic_, published)

BOOST_AUTO_TEST_CASE(each_subscriber_gets_each_message_in_order) {
  rt.block_on([&]() -> task<> {
    news = spawn<topic<article>>();
    auto a = start(log, 0s, 100), b = start(other_log, 1ms, 100);
    co_await subscribe(*news, a);
    co_await publish(1, 2);
    co_await subscribe(*news, b);
    co_await publish(3, 5);
    co_await settle();
    BOOST_TEST(log == "1 2 3 4 5 ");
    BOOST_TEST(other_log == "3 4 5 ");
    co_await unsubscribe(*news, a);
    co_await publish(6, 6);
    co_await settle();
    BOOST_TEST(log == "1 2 3 4 5 ");
    BOOST_TEST(other_log == "3 4 5 6 ");
    news.reset();
  });
}

BOOST_AUTO_TEST_CASE(a_subscriber_is_held_weakly_and_forgotten_at_its_end) {
  rt.block_on([&]() -> task<> {
    news = spawn<topic<article>>();
    std::optional<ref<reader>> a = start(log, 0s);
    auto b = start(other_log, 0s);
    co_await subscribe(*news, *a);
    co_await subscribe(*news, b);
    weak_ref<reader> watched{*a};
    a.reset();
    co_await settle();
    BOOST_TEST(!watched.lock());
    b.stop();
    co_await settle();
    BOOST_TEST((co_await totals()).subscribers == 0U);
    co_await publish(1, 3);
    BOOST_TEST((co_await totals()).dropped == 0U);
    news.reset();
  });
}

BOOST_AUTO_TEST_CASE(one_that_is_started_anew_stays) {
  test::silence quiet;
  rt.block_on([&]() -> task<> {
    news = spawn<topic<article>>();
    auto root = spawn<supervisor>();
    auto a = spawn_child<reader>(root, std::ref(log), duration{});
    co_await subscribe(*news, a);
    co_await a.send(crash{});
    co_await settle();
    co_await publish(1, 2);
    co_await settle();
    BOOST_TEST(log == "1 2 ");
    news.reset();
  });
}

BOOST_AUTO_TEST_CASE(wait_lets_who_publishes_wait_and_loses_nothing) {
  rt.block_on([&]() -> task<> {
    actor_options narrow;
    narrow.capacity = 1;
    news = spawn<topic<article>>(narrow);
    // It takes longer for each than a send may wait by default.
    auto a = start(log, 10s, 1);
    co_await subscribe(*news, a, slow::wait);
    time_point before = now();
    for (int i = 1; i <= 10; ++i) {
      for (;;) {
        auto sent = co_await news->send(article{i}).as_result();
        if (sent) break;
        BOOST_REQUIRE((sent.error() == ask_errc::mailbox_full));
      }
    }
    BOOST_TEST((now() - before >= 50s));
    co_await settle();
    BOOST_TEST(log == "1 2 3 4 5 6 7 8 9 10 ");
    BOOST_TEST((co_await totals()).dropped == 0U);
    news.reset();
  });
}

BOOST_AUTO_TEST_CASE(drop_newest_counts_and_tells_what_it_has_dropped) {
  rt.block_on([&]() -> task<> {
    news = spawn<topic<article>>();
    auto a = start(log, 10ms, 2);
    co_await subscribe(*news, a, slow::drop_newest);
    co_await publish(1, 10);
    co_await settle();
    std::size_t dropped = (co_await totals()).dropped;
    BOOST_TEST(dropped == 8U);
    auto states = co_await news->ask(list_subscribers{});
    BOOST_REQUIRE(states.size() == 1U);
    BOOST_TEST(states[0].delivered == 2U);
    BOOST_TEST(states[0].dropped == 8U);
    BOOST_TEST(log == "1 2 ");
    co_await publish(11, 11);
    co_await settle();
    BOOST_TEST(log == "1 2 m8 11 ");
    co_await publish(12, 12);
    co_await settle();
    BOOST_TEST(log == "1 2 m8 11 12 ");
    news.reset();
  });
}

BOOST_AUTO_TEST_CASE(drop_oldest_keeps_the_newest_at_the_topic) {
  rt.block_on([&]() -> task<> {
    news = spawn<topic<article>>();
    auto a = start(log, 10ms, 1);
    co_await subscribe(*news, a, slow::drop_oldest, 3);
    // One is handled, one in the mailbox, one on its way, three are kept.
    for (int i = 1; i <= 20; ++i) {
      co_await publish(i, i);
      co_await sleep_for(100us);
    }
    auto states = co_await news->ask(list_subscribers{});
    BOOST_REQUIRE(states.size() == 1U);
    BOOST_TEST(states[0].kept == 3U);
    co_await settle();
    BOOST_TEST(log.ends_with("18 19 20 "), log);
    states = co_await news->ask(list_subscribers{});
    BOOST_TEST(states[0].delivered + states[0].dropped == 20U);
    BOOST_TEST(states[0].kept == 0U);
    std::string told = "m" + std::to_string(states[0].dropped) + " ";
    BOOST_TEST(log.find(told) != std::string::npos, log);
    news.reset();
  });
}

BOOST_AUTO_TEST_CASE(drop_oldest_drops_nothing_of_what_finds_room) {
  rt.block_on([&]() -> task<> {
    news = spawn<topic<article>>();
    auto a = start(log, 10ms, 10);
    co_await subscribe(*news, a, slow::drop_oldest, 1);
    co_await publish(1, 10);
    co_await settle();
    BOOST_TEST(log == "1 2 3 4 5 6 7 8 9 10 ");
    news.reset();
  });
}

BOOST_AUTO_TEST_CASE(without_a_ref_it_gives_what_it_keeps_and_ends) {
  rt.block_on([&]() -> task<> {
    news = spawn<topic<article>>();
    weak_ref<topic<article>> watched{*news};
    auto a = start(log, 10ms, 1);
    co_await subscribe(*news, a, slow::drop_oldest, 100);
    co_await publish(1, 20);
    news.reset();
    co_await settle();
    BOOST_TEST(log.ends_with("18 19 20 "), log);
    BOOST_TEST(!watched.lock());
    BOOST_TEST(!a.has_ended());
  });
}

BOOST_AUTO_TEST_CASE(a_subscriber_that_asks_the_topic_it_makes_wait_is_no_deadlock) {
  struct asking final : actor {
    asking(ref<topic<article>> of, int& seen_count, int& refused_count)
        : of_{std::move(of)}, seen_{&seen_count}, refused_{&refused_count} {}
    task<> on(article) {
      ++*seen_;
      auto totals = co_await of_.ask(count_totals{}, no_deadline).as_result();
      if (!totals) {
        BOOST_TEST((totals.error() == ask_errc::deadlock));
        ++*refused_;
      }
    }
    ref<topic<article>> of_;
    int* seen_;
    int* refused_;
  };
  rt.block_on([&]() -> task<> {
    news = spawn<topic<article>>();
    int seen_count = 0, refused_count = 0;
    actor_options narrow;
    narrow.capacity = 1;
    auto a = spawn<asking>(narrow, *news, seen_count, refused_count);
    co_await subscribe(*news, a, slow::wait);
    co_await publish(1, 10);
    co_await settle();
    auto states = co_await news->ask(list_subscribers{});
    BOOST_REQUIRE(states.size() == 1U);
    BOOST_TEST(states[0].delivered == static_cast<std::size_t>(seen_count));
    BOOST_TEST(states[0].delivered + states[0].dropped == 10U);
    BOOST_TEST(refused_count + static_cast<int>(states[0].dropped) > 0);
    a.stop();
    co_await a.ended();
    news.reset();
  });
}

BOOST_AUTO_TEST_CASE(disconnect_ends_the_subscription_with_a_notice) {
  rt.block_on([&]() -> task<> {
    news = spawn<topic<article>>();
    auto a = start(log, 10ms, 2);
    auto b = start(other_log, 0s, 100);
    co_await subscribe(*news, a, slow::disconnect);
    co_await subscribe(*news, b, slow::disconnect);
    co_await publish(1, 10);
    co_await settle();
    BOOST_TEST(log == "1 2 d1 ");
    BOOST_TEST(other_log == "1 2 3 4 5 6 7 8 9 10 ");
    topic_totals now = co_await totals();
    BOOST_TEST(now.subscribers == 1U);
    BOOST_TEST(now.disconnected == 1U);
    BOOST_TEST(now.dropped == 1U);
    BOOST_TEST(!a.has_ended());
    news.reset();
  });
}

BOOST_AUTO_TEST_CASE(kill_ends_a_slow_subscriber_itself) {
  rt.block_on([&]() -> task<> {
    news = spawn<topic<article>>();
    auto a = start(log, 24h, 2);
    co_await subscribe(*news, a, slow::kill);
    time_point before = now();
    co_await publish(1, 10);
    (void)co_await a.ended();
    BOOST_TEST((now() - before < 1h));
    BOOST_TEST(log == "");
    BOOST_TEST((co_await totals()).subscribers == 0U);
    news.reset();
  });
}

BOOST_AUTO_TEST_CASE(a_new_policy_replaces_the_old_one) {
  rt.block_on([&]() -> task<> {
    news = spawn<topic<article>>();
    auto a = start(log, 10ms, 2);
    co_await subscribe(*news, a, slow::drop_oldest, 5);
    co_await subscribe(*news, a, slow::drop_newest);
    BOOST_TEST((co_await totals()).subscribers == 1U);
    co_await publish(1, 5);
    co_await settle();
    BOOST_TEST(log == "1 2 ");
    news.reset();
  });
}

BOOST_AUTO_TEST_CASE(a_subscriber_may_be_a_ref_to_a_protocol) {
  rt.block_on([&]() -> task<> {
    news = spawn<topic<article>>();
    auto a = start(log, 10ms, 2);
    ref<protocol<article>> deaf = a;  // To notices.
    co_await subscribe(*news, deaf, slow::drop_newest);
    co_await publish(1, 5);
    co_await settle();
    co_await publish(6, 6);
    co_await settle();
    BOOST_TEST(log == "1 2 6 ");
    BOOST_TEST((co_await totals()).dropped == 3U);
    news.reset();
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::actors
