// The snippets of docs/guide/overload.md, in its order. Each block of the page stands here line by
// line, but for the indentation; the last case holds that, and the others what the page shows of
// their output.

#include <chrono>
#include <cstddef>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <boost/test/unit_test.hpp>

#include <troupe/actor/actor.hpp>
#include <troupe/actor/undelivered.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sync/semaphore.hpp>
#include <troupe/task/scope.hpp>
#include <troupe/task/spawn.hpp>

#include <captured_log.hpp>
#include <sched/virtual_worker.hpp>

#include "page_output.hpp"

using namespace std::chrono_literals;

// Reports show it: an anonymous one is told otherwise by each compiler.
namespace post {

constexpr const char* page = "docs/guide/overload.md";

struct parcel {
  int number;
};
struct count_done {
  using reply = int;
};

class scale : public troupe::actor {
public:
  troupe::task<> on(parcel) {
    co_await troupe::sleep_for(10ms);
    ++done_;
  }
  int on(count_done) const { return done_; }

private:
  int done_ = 0;
};

troupe::task<> weigh_ten(const char* policy, troupe::actor_options options) {
  options.capacity = 4;
  auto s = troupe::spawn<scale>(options);
  troupe::time_point begin = troupe::now();
  int refused = 0;
  for (int i = 1; i <= 10; ++i) {
    auto sent = co_await s.send(parcel{i}).as_result();
    if (!sent) ++refused;
  }
  auto sending = std::chrono::round<std::chrono::milliseconds>(troupe::now() - begin);
  co_await troupe::sleep_for(200ms);
  int done = co_await s.ask(count_done{});
  fmt::print("{:<12} sent in {:>2} ms, {} refused, {:>2} weighed\n", policy, sending.count(),
             refused, done);
}

troupe::task<> weigh_by_each_policy() {
  troupe::actor_options wait, reject, drop, unbounded;
  reject.when_full = troupe::overflow::reject;
  drop.when_full = troupe::overflow::drop_newest;
  unbounded.unbounded = true;
  co_await weigh_ten("wait", wait);
  co_await weigh_ten("reject", reject);
  co_await weigh_ten("drop_newest", drop);
  co_await weigh_ten("unbounded", unbounded);
}

struct weight_of {
  using reply = int;
  int number;
};

class exact_scale : public troupe::actor {
public:
  explicit exact_scale(int& runs) : runs_{runs} {}
  troupe::task<int> on(weight_of m) {
    ++runs_;
    co_await troupe::sleep_for(10ms);
    co_return 2 * m.number;
  }

private:
  int& runs_;
};

// A hundred ask at once, and none of them waits for more than 55 ms.
troupe::task<> rush() {
  int runs = 0, answered = 0, not_run = 0, may_have_run = 0;
  auto s = troupe::spawn<exact_scale>(runs);
  co_await troupe::scope([&](troupe::scope_handle all) -> troupe::task<> {
    for (int i = 0; i < 100; ++i) {
      all.spawn([&, i]() -> troupe::task<> {
        auto weight = co_await s.ask(weight_of{i}, troupe::within{55ms}).as_result();
        if (weight) {
          ++answered;
        } else {
          ++(troupe::may_have_run(weight.error()) ? may_have_run : not_run);
        }
      });
    }
    co_return;
  });
  fmt::print("answered {}, not run {}, may have run {}: {} runs\n", answered, not_run, may_have_run,
             runs);
}

troupe::pal::atomic<std::size_t> lost{0};

void count_lost() {
  troupe::set_undelivered_sink([](const troupe::undelivered&) { lost.fetch_add(1); });
}

class sorter : public troupe::actor {
public:
  explicit sorter(troupe::ref<scale> next) : next_{std::move(next)} {}

  // Meanwhile it takes no mail: who sends to it waits too.
  troupe::task<> on(parcel m) { co_await next_.send(m); }

private:
  troupe::ref<scale> next_;
};

class quick_sorter : public troupe::actor {
public:
  explicit quick_sorter(troupe::ref<scale> next) : next_{std::move(next)} {}

  // A plain function cannot wait: it decides what to do without room.
  void on(parcel m) {
    if (!next_.try_send(m)) ++passed_by_;
  }
  int on(count_done) const { return passed_by_; }

private:
  troupe::ref<scale> next_;
  int passed_by_ = 0;
};

}  // namespace post

using namespace post;

BOOST_FIXTURE_TEST_SUITE(guide_overload_, troupe::test::virtual_worker)

BOOST_AUTO_TEST_CASE(each_policy_does_something_else_with_what_finds_no_room) {
  troupe::test::captured_log log;
  troupe::test::check_output_of(page, [this] { rt.block_on(weigh_by_each_policy); });
  BOOST_TEST(log.count("undelivered") == 6U);
}

BOOST_AUTO_TEST_CASE(what_has_expired_is_not_run) {
  troupe::test::check_output_of(page, [this] { rt.block_on(rush); });
}

BOOST_AUTO_TEST_CASE(a_stage_that_waits_holds_up_who_sends_to_it) {
  rt.block_on([]() -> troupe::task<> {
    troupe::actor_options narrow;
    narrow.capacity = 2;
    auto s = troupe::spawn<scale>(narrow);
    auto first = troupe::spawn<sorter>(narrow, s);
    troupe::time_point begin = troupe::now();
    for (int i = 0; i < 20; ++i) co_await first.send(parcel{i});
    // Two mailboxes and two handlers hold six of them.
    BOOST_TEST((troupe::now() - begin >= 130ms));
    BOOST_TEST((troupe::now() - begin <= 151ms));
  });
}

// The lines of a dump that begin so, without the places in this file.
std::vector<std::string> lines_of(const std::string& dump, const std::string& beginning) {
  std::vector<std::string> lines;
  std::istringstream in{dump};
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(beginning)) lines.push_back(line.substr(0, line.find(" at ")));
  }
  return lines;
}

BOOST_AUTO_TEST_CASE(the_dump_tells_who_waits_for_room) {
  troupe::test::captured_log undelivered;
  std::string seen;
  rt.block_on([&]() -> troupe::task<> {
    troupe::actor_options slow, fast;
    slow.capacity = 64;
    slow.name = "scale";
    fast.name = "sorter";
    auto s = troupe::spawn<scale>(slow);
    auto first = troupe::spawn<sorter>(fast, s);
    for (int i = 0; i < 200; ++i) co_await first.send(parcel{i});
    co_await troupe::sleep_for(5ms);
    seen = rt.dump();
    s.kill();
    first.kill();
    co_await first.ended();
  });
  for (const char* each : {"  scale (", "  sorter (", "  sorter ->"}) {
    troupe::test::check_output(page, lines_of(seen, each));
  }
}

BOOST_AUTO_TEST_CASE(a_plain_handler_decides_without_waiting) {
  rt.block_on([]() -> troupe::task<> {
    troupe::actor_options narrow;
    narrow.capacity = 2;
    auto first = troupe::spawn<quick_sorter>(troupe::spawn<scale>(narrow));
    for (int i = 0; i < 20; ++i) co_await first.send(parcel{i});
    int passed_by = co_await first.ask(count_done{});
    BOOST_TEST(passed_by >= 17);
    BOOST_TEST(passed_by < 20);
  });
}

BOOST_AUTO_TEST_CASE(what_is_lost_is_counted) {
  count_lost();
  rt.block_on([]() -> troupe::task<> {
    auto s = troupe::spawn<scale>();
    for (int i = 0; i < 5; ++i) co_await s.send(parcel{i});
    co_await troupe::sleep_for(1ms);
    s.kill();
    co_await s.ended();
  });
  troupe::set_undelivered_sink(nullptr);
  BOOST_TEST(lost.load() == 4U);
}

BOOST_AUTO_TEST_CASE(every_snippet_of_the_page_is_compiled_here) {
  BOOST_TEST(troupe::test::check_snippets({page, "tests/docs/guide_overload_test.cpp"}) == 5);
}

BOOST_AUTO_TEST_SUITE_END()
