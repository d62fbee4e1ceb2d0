#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <captured_log.hpp>

#include <troupe/sched/sleep.hpp>
#include <troupe/sim/chaos.hpp>
#include <troupe/sim/replay.hpp>
#include <troupe/task/yield.hpp>

namespace troupe {

using namespace std::chrono_literals;

namespace {

// A variable of the environment, for one case.
class variable {
public:
  variable(const char* name, const char* value) : name_{name} { ::setenv(name, value, 1); }
  ~variable() { ::unsetenv(name_); }
  variable(const variable&) = delete;
  variable& operator=(const variable&) = delete;

private:
  const char* name_;
};

struct no_variables {
  no_variables() {
    for (const char* each : {"TROUPE_SIM_SEED", "TROUPE_SIM_PLAN", "TROUPE_DEV"}) ::unsetenv(each);
  }
};

// Fails when the first fault of either kind has come, in this order.
void fails_with_two_faults(sim::world& world) {
  int first = 0, second = 0, others = 0;
  sim::chaos faults{world};
  faults.may("a", [&] { ++first; });
  faults.may("b", [&] { second += first; });
  faults.may("c", [&] { ++others; });
  faults.draw(12, 1h);
  world.advance(2h);
  world.check(second == 0, "no b comes after an a");
}

std::optional<sim::seed_failed> failure_of(const std::function<void(sim::world&)>& body,
                                           std::uint64_t count = 50) {
  try {
    sim::for_each_seed("some.test", count, body);
  } catch (const sim::seed_failed& failed) {
    return failed;
  }
  return std::nullopt;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(replay_, no_variables)

BOOST_AUTO_TEST_CASE(each_seed_has_a_world_of_its_own) {
  std::set<std::uint64_t> seeds;
  sim::for_each_seed("some.test", 20, [&](sim::world& world) {
    BOOST_TEST(world.now() == 0ns);
    BOOST_TEST(seeds.insert(world.seed()).second);
  });
  BOOST_TEST(seeds.size() == 20u);
}

BOOST_AUTO_TEST_CASE(a_failure_names_the_few_faults_that_it_takes) {
  auto failed = failure_of(fails_with_two_faults);
  BOOST_REQUIRE(failed);
  std::string text = failed->what();
  BOOST_TEST_INFO(text);
  BOOST_REQUIRE(failed->faults().size() == 2u);
  BOOST_TEST(contains(text, "some.test fails with seed " + std::to_string(failed->seed())));
  BOOST_TEST(contains(text, "no b comes after an a"));
  for (std::size_t each : failed->faults()) {
    BOOST_TEST(contains(text, "  fault " + std::to_string(each) + ": "));
  }
  BOOST_TEST(!contains(text, ": c at "));
  BOOST_TEST(contains(text, "TROUPE_SIM_PLAN=" + std::to_string(failed->faults()[0]) + "," +
                                std::to_string(failed->faults()[1])));
}

BOOST_AUTO_TEST_CASE(one_that_fails_without_faults_says_so) {
  auto failed = failure_of([](sim::world& world) {
    sim::chaos faults{world};
    faults.may("a", [] {});
    faults.draw(9, 1s);
    world.advance(1s);
    world.check(world.seed() != 3, "not the third");
  });
  BOOST_REQUIRE(failed);
  BOOST_TEST(failed->seed() == 3u);
  BOOST_TEST(failed->faults().empty());
}

BOOST_AUTO_TEST_CASE(what_the_text_says_replays_the_failure_alone_and_shows_its_trace) {
  auto first = failure_of(fails_with_two_faults);
  BOOST_REQUIRE(first);
  std::string plan = std::to_string(first->faults()[0]) + "," + std::to_string(first->faults()[1]);
  variable seed{"TROUPE_SIM_SEED", std::to_string(first->seed()).c_str()};
  variable kept{"TROUPE_SIM_PLAN", plan.c_str()};
  variable dev{"TROUPE_DEV", "1"};
  test::captured_log log;
  std::size_t runs = 0;
  auto again = failure_of([&](sim::world& world) {
    ++runs;
    fails_with_two_faults(world);
  });
  BOOST_REQUIRE(again);
  BOOST_TEST(runs == 1u);
  BOOST_TEST(again->faults() == first->faults(), boost::test_tools::per_element());
  BOOST_TEST(contains(again->what(), "./dev replay some.test --seed " +
                                         std::to_string(first->seed()) + " --plan " + plan));
  std::size_t faults = 0;
  for (const std::string& line : log.lines()) faults += contains(line, "a fault") ? 1 : 0;
  BOOST_TEST(faults == 2u);
}

BOOST_AUTO_TEST_CASE(without_its_faults_a_seed_passes) {
  auto first = failure_of(fails_with_two_faults);
  BOOST_REQUIRE(first);
  variable seed{"TROUPE_SIM_SEED", std::to_string(first->seed()).c_str()};
  variable kept{"TROUPE_SIM_PLAN", "none"};
  test::captured_log log;
  BOOST_TEST(!failure_of(fails_with_two_faults));
}

BOOST_AUTO_TEST_CASE(a_variable_that_is_no_number_is_named) {
  variable seed{"TROUPE_SIM_SEED", "x7"};
  BOOST_CHECK_EXCEPTION(sim::for_each_seed("some.test", 1, [](sim::world&) {}),
                        std::invalid_argument,
                        [](const auto& error) { return contains(error.what(), "'x7'"); });
}

BOOST_AUTO_TEST_CASE(a_body_that_something_outside_decides_is_found_out) {
  int calls = 0;
  auto failed = failure_of([&](sim::world& world) {
    world.advance(std::chrono::seconds{++calls});
    world.after(1s, [] {});
    world.advance(2s);
    world.check(calls < 0, "never");
  });
  BOOST_REQUIRE(failed);
  BOOST_TEST_INFO(failed->what());
  BOOST_TEST(contains(failed->what(), "outside of the world"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
