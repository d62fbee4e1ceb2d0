#include <array>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/task/spawn.hpp>
#include <troupe/task/yield.hpp>

#include <collected_failures.hpp>
#include <manual_executor.hpp>
#include <task/gate.hpp>
#include <thrown_misuse.hpp>
#include <witness.hpp>

namespace troupe {

namespace {

struct by_hand {
  test::manual_executor exec;

  // Runs a task to its end. Returns: its value.
  template <class T>
  T value_of(join_handle<T> handle) {
    T value{};
    auto main = spawn([&]() -> task<> { value = co_await handle; });
    exec.run_all();
    BOOST_TEST(main.done());
    return value;
  }
};

task<std::string> join(std::string a, const std::string& b, std::unique_ptr<std::string> c) {
  co_await yield();
  co_return a + b + *c;
}

struct member {
  int value;
  task<int> coroutine(int plus) {
    co_await yield();
    co_return value + plus;
  }
  int plain(int plus) { return value + plus; }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(spawn_, by_hand)

BOOST_AUTO_TEST_CASE(keeps_its_arguments_also_those_taken_by_reference) {
  std::string b = "b";
  auto handle = spawn(join, "a", b, std::make_unique<std::string>("c"));
  b = "changed";
  BOOST_TEST(value_of(std::move(handle)) == "abc");
}

BOOST_AUTO_TEST_CASE(a_reference_wrapper_passes_a_reference) {
  int place = 0;
  auto handle = spawn(
      [](int& to) -> task<int> {
        co_await yield();
        co_return to = 7;
      },
      std::ref(place));
  BOOST_TEST(value_of(std::move(handle)) == 7);
  BOOST_TEST(place == 7);
}

BOOST_AUTO_TEST_CASE(keeps_the_captures_of_a_temporary_lambda) {
  auto text = std::make_unique<std::string>("kept");
  auto body = [text = std::move(text)]() -> task<std::string> {
    co_await yield();
    co_return *text;
  };
  auto handle = spawn(std::move(body));
  BOOST_TEST(value_of(std::move(handle)) == "kept");
}

BOOST_AUTO_TEST_CASE(keeps_a_callable_and_a_value_larger_than_the_cell) {
  std::array<int, 100> many{};
  many.back() = 9;
  auto handle = spawn([many]() -> task<std::array<int, 100>> {
    co_await yield();
    co_return many;
  });
  BOOST_TEST(value_of(std::move(handle)).back() == 9);
}

BOOST_AUTO_TEST_CASE(takes_plain_functions_members_tasks_and_function_objects) {
  member object{40};
  BOOST_TEST(value_of(spawn([] { return 1; })) == 1);
  BOOST_TEST(value_of(spawn(&member::plain, object, 2)) == 42);
  BOOST_TEST(value_of(spawn(&member::coroutine, std::ref(object), 3)) == 43);
  BOOST_TEST(value_of(spawn(object.coroutine(4))) == 44);
  std::function<task<int>(int)> erased = [](int n) -> task<int> { co_return n; };
  BOOST_TEST(value_of(spawn(erased, 5)) == 5);
  auto five = [](int a, int b, int c, int d, int e) { return a + b + c + d + e; };
  BOOST_TEST(value_of(spawn(five, 1, 2, 3, 4, 5)) == 15);
}

BOOST_AUTO_TEST_CASE(a_plain_function_may_return_nothing_or_throw) {
  test::collected_failures failures;
  int ran = 0;
  spawn([&ran] { ++ran; }).detach();
  spawn([] { throw std::runtime_error{"plain"}; }).detach();
  exec.run_all();
  BOOST_TEST(ran == 1);
  BOOST_TEST(failures.texts() == std::vector<std::string>{"plain"});
}

BOOST_AUTO_TEST_CASE(new_tasks_run_in_the_order_of_spawning) {
  std::vector<int> order;
  for (int i = 0; i < 5; ++i) spawn([&order, i] { order.push_back(i); }).detach();
  exec.run_all();
  BOOST_TEST(order == (std::vector<int>{0, 1, 2, 3, 4}));
}

BOOST_AUTO_TEST_CASE(captures_and_arguments_are_gone_at_the_end_while_the_handle_is_held) {
  bool capture_gone = false, argument_gone = false, local_gone = false;
  auto body = [&local_gone, kept = test::witness{capture_gone}](test::witness) -> task<int> {
    test::witness local{local_gone};
    co_await yield();
    co_return 1;
  };
  auto handle = spawn(std::move(body), test::witness{argument_gone});
  exec.run_one();
  BOOST_TEST(!capture_gone);
  BOOST_TEST(!argument_gone);
  exec.run_all();
  BOOST_TEST(handle.done());
  BOOST_TEST(capture_gone);
  BOOST_TEST(argument_gone);
  BOOST_TEST(local_gone);
}

BOOST_AUTO_TEST_CASE(an_exception_in_making_the_coroutine_starts_no_task_and_leaks_nothing) {
  struct throws_on_move {
    throws_on_move() = default;
    throws_on_move(throws_on_move&&) { throw std::runtime_error{"moved"}; }
  };
  bool gone = false;
  {
    test::witness kept{gone};
    BOOST_CHECK_THROW(spawn([](throws_on_move) -> task<> { co_return; }, throws_on_move{}).detach(),
                      std::runtime_error);
  }
  BOOST_TEST(gone);
  BOOST_TEST(exec.live() == 0u);
  BOOST_TEST(exec.ready() == 0u);
}

BOOST_AUTO_TEST_CASE(a_value_whose_move_throws_is_the_failure_of_its_task) {
  struct fragile {
    explicit fragile(int moves) : left{moves} {}
    fragile(fragile&& other) : left{other.left - 1} {
      if (left == 0) throw std::runtime_error{"too many moves"};
    }
    fragile& operator=(fragile&&) = delete;
    int left;
  };
  std::string text;
  auto handle = spawn([]() -> task<fragile> { co_return fragile{2}; });
  auto main = spawn([&]() -> task<> {
    try {
      (void)co_await handle;
    } catch (const std::runtime_error& error) {
      text = error.what();
    }
  });
  exec.run_all();
  BOOST_TEST(text == "too many moves");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(spawn_outside_)

BOOST_AUTO_TEST_CASE(task_context_spawn_outside_a_runtime_says_what_to_do) {
  std::string text = test::misuse_of([] { spawn([] {}).detach(); });
  BOOST_TEST(text.find("outside a runtime") != std::string::npos);
  BOOST_TEST(text.find("troupe::run") != std::string::npos);
  BOOST_TEST(text.find('\n') == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
