#include <algorithm>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <samples/program.hpp>

namespace samples {

BOOST_AUTO_TEST_SUITE(hello_tasks_, *boost::unit_test::label("sample"))

BOOST_AUTO_TEST_CASE(each_of_four_tasks_says_hello_once_in_any_order) {
  program hello{"tasks_hello_tasks"};
  std::vector<std::string> lines = hello.lines();
  std::sort(lines.begin(), lines.end());
  std::vector<std::string> expected{"Hello from task 0", "Hello from task 1", "Hello from task 2",
                                    "Hello from task 3"};
  BOOST_TEST(lines == expected, boost::test_tools::per_element());
  BOOST_TEST(hello.exit_code() == 0);
}

BOOST_AUTO_TEST_CASE(run_waits_for_a_task_that_is_held_until_main_is_over) {
  program hello{"tasks_hello_tasks", {"--hold"}};
  std::vector<std::string> lines = hello.lines();
  auto place_of = [&](const char* line) {
    BOOST_REQUIRE(std::count(lines.begin(), lines.end(), line) == 1);
    return std::find(lines.begin(), lines.end(), line) - lines.begin();
  };
  BOOST_TEST(lines.size() == 6U);
  BOOST_TEST(place_of("main returns, task 3 is held") < place_of("Hello from task 3"));
  BOOST_TEST(place_of("Hello from task 3") < place_of("run has returned"));
  for (const char* other : {"Hello from task 0", "Hello from task 1", "Hello from task 2"}) {
    BOOST_TEST(place_of(other) < place_of("run has returned"));
  }
  BOOST_TEST(hello.exit_code() == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace samples
