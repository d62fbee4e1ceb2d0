#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/task/spawn.hpp>
#include <troupe/task/task.hpp>
#include <troupe/task/yield.hpp>

#include <manual_executor.hpp>
#include <thrown_misuse.hpp>
#include <witness.hpp>

namespace troupe {

namespace {

struct by_hand {
  test::manual_executor exec;

  // Runs a task to its end.
  template <class F>
  void play(F body) {
    auto main = spawn(std::move(body));
    exec.run_all();
    BOOST_TEST(main.done());
  }
};

task<int> give(int value) { co_return value; }

task<> note(std::vector<int>& order, int step) {
  order.push_back(step);
  co_return;
}

task<int> sum_to(int depth) {
  if (depth == 0) co_return 0;
  int rest = co_await sum_to(depth - 1);
  co_return rest + depth;
}

task<> fail_at(int depth, int& destroyed) {
  bool gone = false;
  struct counter {
    int& count;
    explicit counter(int& by) : count{by} {}
    ~counter() { ++count; }
  } local{destroyed};
  test::witness other{gone};
  if (depth == 0) throw std::runtime_error{"at the bottom"};
  co_await fail_at(depth - 1, destroyed);
}

// Neither copied nor default-made, and moved with a trace.
struct only_movable {
  explicit only_movable(int v) : value{v} {}
  only_movable(only_movable&&) = default;
  only_movable& operator=(only_movable&&) = delete;
  int value;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(task_, by_hand)

BOOST_AUTO_TEST_CASE(runs_nothing_until_it_is_awaited) {
  std::vector<int> order;
  play([&]() -> task<> {
    task<> later = note(order, 2);
    order.push_back(1);
    co_await std::move(later);
    order.push_back(3);
  });
  BOOST_TEST(order == (std::vector<int>{1, 2, 3}));
}

BOOST_AUTO_TEST_CASE(runs_nothing_at_all_when_it_is_dropped) {
  std::vector<int> order;
  bool gone = false;
  {
    auto dropped = [](std::vector<int>& to, test::witness) -> task<> { co_await note(to, 1); };
    auto unused = dropped(order, test::witness{gone});
    BOOST_TEST(!gone);
  }
  BOOST_TEST(gone);
  BOOST_TEST(order.empty());
}

BOOST_AUTO_TEST_CASE(yields_values_references_and_what_can_only_be_moved) {
  int place = 0;
  play([&]() -> task<> {
    auto refer = [](int& to) -> task<int&> { co_return to; };
    int& same = co_await refer(place);
    same = 1;
    auto constant = [](const int& to) -> task<const int&> { co_return to; };
    const int& seen = co_await constant(place);
    BOOST_TEST(&seen == &place);
    auto movable = []() -> task<only_movable> { co_return only_movable{5}; };
    only_movable got = co_await movable();
    BOOST_TEST(got.value == 5);
    auto owner = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(6); };
    std::unique_ptr<int> owned = co_await owner();
    BOOST_TEST(*owned == 6);
    auto converted = []() -> task<std::string> { co_return "text"; };
    std::string text = co_await converted();
    BOOST_TEST(text == "text");
  });
  BOOST_TEST(place == 1);
}

BOOST_AUTO_TEST_CASE(keeps_its_value_until_the_end_of_the_awaiting_expression) {
  bool gone = false, gone_inside = true;
  play([&]() -> task<> {
    auto make = [](bool& told) -> task<std::shared_ptr<test::witness>> {
      co_return std::make_shared<test::witness>(told);
    };
    gone_inside = (co_await make(gone), gone);
  });
  BOOST_TEST(!gone_inside);
  BOOST_TEST(gone);
}

BOOST_AUTO_TEST_CASE(an_exception_passes_every_level_and_destroys_all_locals) {
  int destroyed = 0;
  std::string text;
  play([&]() -> task<> {
    try {
      co_await fail_at(50, destroyed);
    } catch (const std::runtime_error& error) {
      text = error.what();
    }
  });
  BOOST_TEST(text == "at the bottom");
  BOOST_TEST(destroyed == 51);
}

BOOST_AUTO_TEST_CASE(nests_as_deep_as_memory_goes) {
  int result = 0;
  play([&]() -> task<> { result = co_await sum_to(50'000); });
  BOOST_TEST(result == 50'000 / 2 * 50'001);
}

BOOST_AUTO_TEST_CASE(a_caller_in_a_loop_sees_each_value) {
  long sum = 0;
  play([&]() -> task<> {
    for (int i = 0; i < 1000; ++i) sum += co_await give(i);
  });
  BOOST_TEST(sum == 499'500);
}

BOOST_AUTO_TEST_CASE(assignment_drops_what_was_there) {
  bool first_gone = false, second_gone = false;
  auto hold = [](test::witness) -> task<> { co_return; };
  task<> held = hold(test::witness{first_gone});
  held = hold(test::witness{second_gone});
  BOOST_TEST(first_gone);
  BOOST_TEST(!second_gone);
}

BOOST_AUTO_TEST_CASE(awaiting_one_twice_or_after_a_move_is_a_misuse) {
  std::string twice, moved;
  play([&]() -> task<> {
    task<int> once = give(1);
    (void)co_await std::move(once);
    test::thrown_misuse guard;
    try {
      (void)co_await std::move(once);
    } catch (const test::misused& seen) {
      twice = seen.what();
    }
    task<int> from = give(1);
    task<int> to = std::move(from);
    try {
      (void)co_await std::move(from);
    } catch (const test::misused& seen) {
      moved = seen.what();
    }
  });
  BOOST_TEST(twice.find("twice") != std::string::npos);
  BOOST_TEST(moved.find("moved from") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
