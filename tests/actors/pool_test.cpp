#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <actors/pool.hpp>
#include <troupe/actor/undelivered.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>

#include <actor/fragile.hpp>
#include <collected_failures.hpp>
#include <sched/virtual_worker.hpp>
#include <thrown_misuse.hpp>

namespace troupe::actors {

using namespace std::chrono_literals;

namespace {

struct work {
  using reply = int;
  int key = 0;
  duration takes{};
};
struct note {
  int key = 0;
};
struct crash {
  using reply = int;
  int key = 0;
};
struct leave {
  int key = 0;
};
struct tell {
  using reply = std::string;
  std::string text;
};

// What all workers have done; outlives them.
struct tally {
  pal::atomic<int> made{0};
  pal::atomic<int> notes{0};
  std::array<pal::atomic<int>, 1024> done{};  // By worker, in the order of their making.

  [[nodiscard]] std::vector<int> counts(std::size_t workers) const {
    std::vector<int> all;
    for (std::size_t i = 0; i < workers; ++i) all.push_back(done[i].load());
    return all;
  }
  [[nodiscard]] int sum() const {
    return std::accumulate(done.begin(), done.end(), 0,
                           [](int before, const auto& each) { return before + each.load(); });
  }
};

class clerk : public actor {
public:
  explicit clerk(tally& of) : of_{&of}, number_{of.made.fetch_add(1)} {}

  task<int> on(work m) {
    if (m.takes > duration::zero()) co_await sleep_for(m.takes);
    of_->done[static_cast<std::size_t>(number_)].fetch_add(1);
    co_return number_;
  }
  task<> on(note) {
    co_await sleep_for(1ms);
    of_->notes.fetch_add(1);
  }
  std::string on(tell m) { return m.text; }
  int on(crash) { throw std::runtime_error{"a pen broke"}; }
  void on(leave) { self().stop(); }

private:
  tally* of_;
  int number_;
};

struct by_key {
  int operator()(const auto& m) const { return m.key; }
  int operator()(const tell&) const { return 0; }
};

struct counted : test::virtual_worker {
  tally all;
  template <class Router = round_robin>
  pool<clerk, Router> start(std::size_t size) {
    return spawn_pool<clerk, Router>(size, std::ref(all));
  }
  template <class Router>
  static task<> end(pool<clerk, Router> clerks) {
    clerks.stop();
    co_await clerks.ended();
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(pool_, counted)

BOOST_AUTO_TEST_CASE(round_robin_gives_each_worker_the_same) {
  rt.block_on([&]() -> task<> {
    auto clerks = start(4);
    for (int i = 0; i < 400; ++i) (void)co_await clerks.ask(work{});
    BOOST_TEST(all.counts(4) == std::vector<int>({100, 100, 100, 100}),
               boost::test_tools::per_element());
  });
}

BOOST_AUTO_TEST_CASE(least_loaded_leaves_a_busy_worker_alone) {
  rt.block_on([&]() -> task<> {
    auto clerks = start<least_loaded>(3);
    auto slow = spawn([clerks]() -> task<int> {
      work m{0, 1s};
      co_return co_await clerks.ask(m);
    });
    co_await sleep_for(1ms);
    for (int i = 0; i < 100; ++i) (void)co_await clerks.ask(work{});
    int busy = co_await slow;
    std::vector<int> counts = all.counts(3);
    BOOST_TEST(counts[static_cast<std::size_t>(busy)] == 1);
    BOOST_TEST(all.sum() == 101);
    std::sort(counts.begin(), counts.end());
    BOOST_TEST(counts == std::vector<int>({1, 50, 50}), boost::test_tools::per_element());
  });
}

BOOST_AUTO_TEST_CASE(least_loaded_alternates_among_equals) {
  rt.block_on([&]() -> task<> {
    auto clerks = start<least_loaded>(4);
    for (int i = 0; i < 40; ++i) (void)co_await clerks.ask(work{});
    BOOST_TEST(all.counts(4) == std::vector<int>({10, 10, 10, 10}),
               boost::test_tools::per_element());
  });
}

BOOST_AUTO_TEST_CASE(consistent_hash_keeps_a_key_at_its_worker_and_spreads_the_keys) {
  rt.block_on([&]() -> task<> {
    auto clerks = start<consistent_hash<by_key>>(8);
    std::map<int, int> homes;
    for (int round = 0; round < 3; ++round) {
      for (int key = 0; key < 2000; ++key) {
        int home = co_await clerks.ask(work{key, {}});
        auto [found, is_new] = homes.emplace(key, home);
        BOOST_REQUIRE(found->second == home);
      }
    }
    for (int count : all.counts(8)) {
      BOOST_TEST(count / 3 > 2000 / 8 / 2);
      BOOST_TEST(count / 3 < 2000 / 8 * 2);
    }
  });
}

BOOST_AUTO_TEST_CASE(few_keys_move_on_a_resize_and_only_to_new_workers) {
  hash_ring ring;
  ring.resize(8);
  constexpr std::uint64_t keys = 20'000;
  std::vector<std::size_t> homes;
  for (std::uint64_t key = 0; key < keys; ++key) homes.push_back(ring.worker_of(key));
  ring.resize(10);
  std::size_t moved = 0;
  for (std::uint64_t key = 0; key < keys; ++key) {
    std::size_t home = ring.worker_of(key);
    if (home == homes[key]) continue;
    BOOST_TEST(home >= 8U);
    ++moved;
  }
  // Two of ten: a fifth, within a fourth of it.
  BOOST_TEST(moved > keys / 5 * 3 / 4);
  BOOST_TEST(moved < keys / 5 * 5 / 4);
  ring.resize(8);
  for (std::uint64_t key = 0; key < keys; ++key) BOOST_TEST(ring.worker_of(key) == homes[key]);
}

BOOST_AUTO_TEST_CASE(broadcast_reaches_each_worker_once) {
  rt.block_on([&]() -> task<> {
    auto clerks = start(5);
    BOOST_TEST((co_await clerks.broadcast(work{})) == 5U);
    (void)co_await clerks.broadcast(work{});
    co_await end(clerks);
    BOOST_TEST(all.counts(5) == std::vector<int>({2, 2, 2, 2, 2}),
               boost::test_tools::per_element());
  });
}

BOOST_AUTO_TEST_CASE(all_forms_of_a_request_are_those_of_a_ref) {
  rt.block_on([&]() -> task<> {
    auto clerks = start(2);
    BOOST_TEST((co_await clerks.ask<tell>("in place")) == "in place");
    BOOST_TEST((co_await clerks.ask<tell>(within{1s}, "in time")) == "in time");
    tell m{"taken"};
    BOOST_TEST((co_await clerks.ask(take(m))) == "taken");
    auto late = co_await clerks.ask(work{0, 1s}, within{10ms}).as_result();
    BOOST_TEST((late.error() == ask_errc::timeout));
    BOOST_TEST((clerks.try_send(note{}).has_value()));
    co_await clerks.send(note{});
    co_await end(clerks);
  });
  BOOST_TEST(all.notes.load() == 2);
}

BOOST_AUTO_TEST_CASE(a_crashed_worker_is_replaced_and_nothing_is_lost_but_what_it_was_at) {
  test::silence quiet;
  rt.block_on([&]() -> task<> {
    auto clerks = start(2);
    for (int i = 0; i < 40; ++i) co_await clerks.send(note{});
    auto failed = co_await clerks.ask(crash{}).as_result();
    BOOST_TEST((failed.error() == ask_errc::receiver_failed));
    for (int i = 0; i < 40; ++i) co_await clerks.send(note{});
    co_await sleep_for(1s);
    BOOST_TEST(all.notes.load() == 80);
    BOOST_TEST(all.made.load() == 3);
    for (int i = 0; i < 10; ++i) (void)co_await clerks.ask(work{});
    BOOST_TEST(all.counts(3) == std::vector<int>({all.done[0].load(), 5, all.done[2].load()}),
               boost::test_tools::per_element());
  });
}

BOOST_AUTO_TEST_CASE(mail_queued_behind_a_crash_is_kept_for_the_next_incarnation) {
  test::silence quiet;
  rt.block_on([&]() -> task<> {
    auto clerks = start(1);
    std::vector<join_handle<bool>> asking;
    for (int i = 0; i < 10; ++i) {
      asking.push_back(spawn([clerks, i]() -> task<bool> {
        if (i == 4) {
          auto answer = co_await clerks.ask(crash{}).as_result();
          co_return answer.has_value();
        }
        auto answer = co_await clerks.ask(work{0, 1ms}).as_result();
        co_return answer.has_value();
      }));
    }
    int answered = 0;
    for (auto& each : asking) answered += (co_await each) ? 1 : 0;
    BOOST_TEST(answered == 9);
    BOOST_TEST(all.counts(2) == std::vector<int>({4, 5}), boost::test_tools::per_element());
  });
}

BOOST_AUTO_TEST_CASE(a_worker_that_stops_itself_or_is_killed_is_replaced_too) {
  test::silence quiet;
  rt.block_on([&]() -> task<> {
    auto clerks = start(2);
    co_await clerks.send(leave{});
    clerks.workers()[1].kill();
    co_await sleep_for(1s);
    BOOST_TEST(all.made.load() == 4);
    for (int i = 0; i < 10; ++i) (void)co_await clerks.ask(work{});
    BOOST_TEST(all.sum() == 10);
  });
}

BOOST_AUTO_TEST_CASE(a_worker_that_fails_too_often_ends_the_pool_with_its_failure) {
  test::silence quiet;
  test::collected_failures failures;
  rt.block_on([&]() -> task<> {
    pool_options options{.size = 3, .how = {.max_restarts = 2, .within = 1h}};
    auto clerks = spawn_pool<clerk>(options, std::ref(all));
    auto doomed = clerks.workers()[0];
    for (int i = 0; i < 3; ++i) (void)co_await doomed.ask(crash{}).as_result();
    exit_reason why = co_await clerks.ended();
    BOOST_TEST((why.kind == exit_kind::failed));
    auto answer = co_await clerks.ask(work{}).as_result();
    BOOST_TEST((answer.error() == ask_errc::receiver_gone));
    for (const auto& each : clerks.workers()) BOOST_TEST(each.has_ended());
  });
  BOOST_TEST(failures.texts().size() == 1U);
}

BOOST_AUTO_TEST_CASE(it_grows_and_shrinks_and_those_that_go_do_what_they_have) {
  rt.block_on([&]() -> task<> {
    auto clerks = start(4);
    for (int i = 0; i < 40; ++i) co_await clerks.send(note{});
    auto former = clerks.workers();
    co_await clerks.resize(1);
    BOOST_TEST(clerks.size() == 1U);
    for (std::size_t i = 1; i < 4; ++i) co_await former[i].ended();
    BOOST_TEST(all.notes.load() >= 30);
    co_await clerks.resize(3);
    BOOST_TEST(clerks.size() == 3U);
    BOOST_TEST(all.made.load() == 6);
    for (int i = 0; i < 30; ++i) (void)co_await clerks.ask(work{});
    BOOST_TEST(all.counts(6) == std::vector<int>({10, 0, 0, 0, 10, 10}),
               boost::test_tools::per_element());
    co_await end(clerks);
  });
  BOOST_TEST(all.notes.load() == 40);
}

BOOST_AUTO_TEST_CASE(resized_under_load_it_answers_each_request_exactly_once) {
  tally real;
  runtime_config config;
  config.workers = 2;
  runtime two{config};
  constexpr int askers = 8, each_asks = 2000;
  two.block_on([&]() -> task<> {
    auto clerks = spawn_pool<clerk, least_loaded>(4, std::ref(real));
    std::vector<join_handle<int>> asking;
    for (int i = 0; i < askers; ++i) {
      asking.push_back(spawn([clerks]() -> task<int> {
        int answered = 0;
        for (int n = 0; n < each_asks; ++n) {
          tell m;
          co_await clerks.send(take(m));
          (void)co_await clerks.ask(work{});
          ++answered;
        }
        co_return answered;
      }));
    }
    for (std::size_t size : {1U, 7U, 2U, 9U, 1U, 5U}) {
      co_await clerks.resize(size);
      for (int i = 0; i < 50; ++i) (void)co_await clerks.ask(work{});
    }
    int answered = 0;
    for (auto& each : asking) answered += co_await each;
    BOOST_TEST(answered == askers * each_asks);
    BOOST_TEST(clerks.size() == 5U);
  });
  BOOST_TEST(real.sum() == askers * each_asks + 6 * 50);
}

BOOST_AUTO_TEST_CASE(with_its_last_handle_gone_the_workers_do_their_mail_and_end) {
  rt.block_on([&]() -> task<> {
    std::optional<pool<clerk>> clerks = start(3);
    auto former = clerks->workers();
    for (int i = 0; i < 30; ++i) co_await clerks->send(note{});
    clerks.reset();
    for (const auto& each : former) co_await each.ended();
    BOOST_TEST(all.notes.load() == 30);
  });
}

BOOST_AUTO_TEST_CASE(try_send_finds_room_where_there_is_some) {
  rt.block_on([&]() -> task<> {
    pool_options options{.size = 3};
    options.worker.capacity = 1;
    auto clerks = spawn_pool<clerk>(options, std::ref(all));
    auto workers = clerks.workers();
    BOOST_TEST((workers[0].try_send(note{}).has_value()));
    BOOST_TEST((clerks.try_send(note{}).has_value()));
    BOOST_TEST((clerks.try_send(note{}).has_value()));
    BOOST_TEST((clerks.try_send(note{}).error() == ask_errc::mailbox_full));
    co_await end(clerks);
  });
  BOOST_TEST(all.notes.load() == 3);
}

BOOST_AUTO_TEST_CASE(a_front_is_a_ref_to_a_protocol) {
  rt.block_on([&]() -> task<> {
    auto clerks = start(2);
    ref<protocol<note, work, std::string(tell)>> any =
        clerks.front<note, work, std::string(tell)>();
    for (int i = 0; i < 10; ++i) (void)co_await any.ask(work{});
    BOOST_TEST((co_await any.ask<tell>("by the front")) == "by the front");
    for (int i = 0; i < 4; ++i) co_await any.send(note{});
    co_await any.send(work{});
    BOOST_TEST((co_await any.ask<tell>("the last")) == "the last");
    co_await end(clerks);
  });
  BOOST_TEST(all.notes.load() == 4);
  BOOST_TEST(all.sum() == 11);
}

BOOST_AUTO_TEST_CASE(a_request_by_a_front_does_not_wait_for_room) {
  rt.block_on([&]() -> task<> {
    pool_options options{.size = 1};
    options.worker.capacity = 1;
    auto clerks = spawn_pool<clerk>(options, std::ref(all));
    auto any = clerks.front<note, work>();
    auto busy = spawn([clerks]() -> task<> {
      work m{0, 1s};
      (void)co_await clerks.ask(m);
    });
    co_await sleep_for(1ms);
    co_await clerks.send(note{});
    auto answer = co_await any.ask(work{}).as_result();
    BOOST_TEST((answer.error() == ask_errc::mailbox_full));
    co_await busy;
    co_await end(clerks);
  });
}

BOOST_AUTO_TEST_CASE(what_a_front_cannot_pass_on_is_reported) {
  static pal::atomic<int> lost{0};
  auto former = set_undelivered_sink([](const undelivered& each) {
    if (each.reason == ask_errc::receiver_gone) lost.fetch_add(1);
  });
  rt.block_on([&]() -> task<> {
    auto clerks = start(2);
    auto any = clerks.front<note, work>();
    co_await end(clerks);
    co_await any.send(note{});
    co_await any.send(work{});
    auto answer = co_await any.ask(work{}).as_result();
    BOOST_TEST((answer.error() == ask_errc::receiver_gone));
  });
  set_undelivered_sink(former);
  BOOST_TEST(lost.load() == 2);
}

BOOST_AUTO_TEST_CASE(a_worker_that_cannot_be_made_fails_the_resize_and_changes_nothing) {
  struct picky final : actor {
    explicit picky(tally& of) {
      if (of.made.fetch_add(1) == 3) throw std::runtime_error{"no desk"};
    }
    int on(work) { return 1; }
  };
  rt.block_on([&]() -> task<> {
    auto two = spawn_pool<picky>(2, std::ref(all));
    auto grown = co_await two.resize(5).as_result();
    BOOST_TEST((grown.error() == ask_errc::receiver_failed));
    BOOST_TEST(two.size() == 2U);
    BOOST_TEST((co_await two.ask(work{})) == 1);
    co_await two.resize(3);
    BOOST_TEST(two.size() == 3U);
  });
}

BOOST_AUTO_TEST_CASE(a_pool_of_nobody_is_a_misuse) {
  rt.block_on([&]() -> task<> {
    auto text = test::misuse_of([&] { (void)start(0); });
    BOOST_TEST(text.find("spawn_pool(size)") != std::string::npos, text);
    auto clerks = start(1);
    text = test::misuse_of([&] { (void)clerks.resize(0); });
    BOOST_TEST(text.find("pool::resize(size)") != std::string::npos, text);
    co_return;
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::actors
