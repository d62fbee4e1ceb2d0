// The snippets of docs/guide/supervision.md, in its order. Each block of the page stands here line
// by line, but for the indentation; the last case holds that, and the others what the page shows of
// their output.

#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <boost/test/unit_test.hpp>

#include <troupe/actor/supervisor.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>

#include <captured_log.hpp>
#include <collected_failures.hpp>
#include <sched/virtual_worker.hpp>

#include "page_output.hpp"

using namespace std::chrono_literals;

// The log shows it: an anonymous one is told otherwise by each compiler.
namespace works {

constexpr const char* page = "docs/guide/supervision.md";

struct job {
  int number;
};
struct count_done {
  using reply = int;
};

class press : public troupe::actor {
public:
  explicit press(std::shared_ptr<int> done) : done_{std::move(done)} {}

  void on_start() { fmt::print("the press starts; done before: {}\n", *done_); }
  void on(job m) {
    if (m.number == 2) throw std::runtime_error{"job 2 is stuck"};
    fmt::print("job {}\n", m.number);
    ++*done_;
    ++since_start_;
  }
  int on(count_done) const { return since_start_; }

private:
  std::shared_ptr<int> done_;  // Outlives the incarnations.
  int since_start_ = 0;        // Is new with each.
};

troupe::task<> print_four() {
  auto root = troupe::spawn<troupe::supervisor>();
  auto done = std::make_shared<int>(0);
  auto p = troupe::spawn_child<press>(root, done);
  for (int i = 1; i <= 4; ++i) co_await p.send(job{i});
  int since_start = co_await p.ask(count_done{});
  fmt::print("since its start: {}, in all: {}\n", since_start, *done);
}

troupe::task<> print_alone() {
  auto p = troupe::spawn<press>(std::make_shared<int>(0));
  co_await p.send(job{2});
  co_await p.ended();
}

troupe::ref<troupe::supervisor> make_tree(std::vector<troupe::ref<press>>& presses) {
  troupe::supervision plant;
  plant.strategy = troupe::restart_strategy::one_for_one;
  auto root = troupe::spawn<troupe::supervisor>(plant);

  troupe::supervision hall;
  hall.strategy = troupe::restart_strategy::rest_for_one;
  hall.max_restarts = 10;
  hall.within = 1min;
  auto first_hall = troupe::spawn_child<troupe::supervisor>(root, hall);

  troupe::child_options options;
  options.kind = troupe::child_kind::transient;
  options.actor.name = "press 1";
  auto one = troupe::spawn_child<press>(first_hall, options, std::make_shared<int>(0));
  presses.push_back(one);
  return root;
}

struct last_word {
  using reply = std::string;
};

class nurse : public troupe::actor {
public:
  void on(const troupe::ref<press>& patient) { self(this).monitor(patient); }
  void on(const troupe::down& d) {
    last_ = fmt::format("{}: {}{}", d.name, to_string(d.why), d.restarts ? ", comes again" : "");
  }
  std::string on(last_word) const { return last_; }

private:
  std::string last_;
};

}  // namespace works

using namespace works;

BOOST_FIXTURE_TEST_SUITE(guide_supervision_, troupe::test::virtual_worker)

BOOST_AUTO_TEST_CASE(a_press_is_started_anew_and_goes_on_with_its_mail) {
  troupe::test::check_output_of(page, [this] { rt.block_on(print_four); });
}

BOOST_AUTO_TEST_CASE(without_a_supervisor_a_failure_is_one_line_in_the_log) {
  troupe::test::captured_log log;
  auto former = troupe::set_failure_sink(nullptr);
  {
    troupe::test::captured_output output;
    rt.block_on(print_alone);
  }
  troupe::set_failure_sink(former);
  troupe::test::check_output(page, log.lines());
}

BOOST_AUTO_TEST_CASE(a_tree_of_supervisors_ends_from_the_leaves) {
  troupe::test::captured_output output;
  rt.block_on([]() -> troupe::task<> {
    std::vector<troupe::ref<press>> presses;
    auto root = make_tree(presses);
    co_await presses.front().send(job{2});
    co_await presses.front().send(job{3});
    BOOST_TEST((co_await presses.front().ask(count_done{})) == 1);
    root.stop();
    co_await root.ended();
    BOOST_TEST(presses.front().has_ended());
  });
}

BOOST_AUTO_TEST_CASE(a_supervisor_that_gives_up_has_failed) {
  troupe::test::captured_output output;
  troupe::test::collected_failures failures;
  rt.block_on([]() -> troupe::task<> {
    auto root = troupe::spawn<troupe::supervisor>();
    auto p = troupe::spawn_child<press>(root, std::make_shared<int>(0));
    for (int i = 0; i < 4; ++i) co_await p.send(job{2});
    co_await root.ended();
    BOOST_TEST(p.has_ended());
  });
  BOOST_TEST(failures.texts().size() == 1U);
}

BOOST_AUTO_TEST_CASE(monitors_hear_of_restarts_and_ends) {
  troupe::test::captured_output output;
  rt.block_on([]() -> troupe::task<> {
    auto root = troupe::spawn<troupe::supervisor>();
    auto n = troupe::spawn<nurse>();
    troupe::child_options options;
    options.actor.name = "press";
    auto p = troupe::spawn_child<press>(root, options, std::make_shared<int>(0));
    co_await n.send(p);
    BOOST_TEST((co_await n.ask(last_word{})).empty());
    co_await p.send(job{2});
    co_await troupe::sleep_for(1ms);
    BOOST_TEST((co_await n.ask(last_word{})) == "press: failed: job 2 is stuck, comes again");
    root.stop();
    co_await p.ended();
    co_await troupe::sleep_for(1ms);
    BOOST_TEST((co_await n.ask(last_word{})) == "press: stopped");
  });
}

BOOST_AUTO_TEST_CASE(every_snippet_of_the_page_is_compiled_here) {
  BOOST_TEST(troupe::test::check_snippets({page, "tests/docs/guide_supervision_test.cpp"}) == 3);
}

BOOST_AUTO_TEST_SUITE_END()
