#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>

#include <boost/test/unit_test.hpp>

#include <troupe/pal/thread.hpp>
#include <troupe/runtime/config.hpp>
#include <troupe/runtime/runtime.hpp>

namespace troupe {

namespace {

// TROUPE_WORKERS as a case wants it; what it was comes back afterwards.
class workers_variable {
public:
  explicit workers_variable(const char* text) {
    if (const char* before = std::getenv(name)) former_ = before;
    text == nullptr ? ::unsetenv(name) : ::setenv(name, text, 1);
  }
  ~workers_variable() { former_ ? ::setenv(name, former_->c_str(), 1) : ::unsetenv(name); }
  workers_variable(const workers_variable&) = delete;
  workers_variable& operator=(const workers_variable&) = delete;

private:
  static constexpr const char* name = "TROUPE_WORKERS";
  std::optional<std::string> former_;
};

// Returns: what resolve() says against `config`; empty when nothing.
std::string complaint_about(const runtime_config& config) {
  try {
    (void)resolve(config);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return {};
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(config_)

BOOST_AUTO_TEST_CASE(workers_are_one_per_core_unless_something_says_otherwise) {
  workers_variable unset{nullptr};
  BOOST_TEST(resolve({}).workers == pal::usable_cores());
}

BOOST_AUTO_TEST_CASE(the_environment_says_how_many_workers) {
  workers_variable three{"3"};
  BOOST_TEST(resolve({}).workers == 3u);
  BOOST_TEST(runtime{}.scheduler().worker_count() == 3u);
}

BOOST_AUTO_TEST_CASE(a_setting_goes_before_the_environment) {
  workers_variable three{"3"};
  runtime_config config;
  config.workers = 2;
  BOOST_TEST(resolve(config).workers == 2u);
}

BOOST_AUTO_TEST_CASE(a_bad_number_in_the_environment_is_refused_by_name) {
  for (const char* bad : {"0", "-1", "", "two", "2x", " 2", "1025", "99999999999999999999"}) {
    workers_variable set{bad};
    std::string text = complaint_about({});
    BOOST_TEST_CONTEXT("TROUPE_WORKERS='" << bad << "'") {
      BOOST_TEST(contains(text, std::string{"TROUPE_WORKERS is '"} + bad + "'"));
      BOOST_TEST(contains(text, "from 1 to 1024"));
    }
  }
}

BOOST_AUTO_TEST_CASE(too_many_workers_are_refused) {
  runtime_config config;
  config.workers = 1025;
  BOOST_TEST(contains(complaint_about(config), "workers is 1025"));
  config.workers = 1024;
  BOOST_TEST(complaint_about(config) == "");
}

BOOST_AUTO_TEST_CASE(a_seed_means_one_worker) {
  runtime_config config;
  config.seed = 1;
  BOOST_TEST(resolve(config).workers == 1u);
  config.workers = 2;
  BOOST_TEST(contains(complaint_about(config), "a seed needs workers = 1"));
}

BOOST_AUTO_TEST_CASE(no_thread_for_blocking_work_is_refused) {
  runtime_config config;
  config.max_blocking_threads = 0;
  BOOST_TEST(contains(complaint_about(config), "max_blocking_threads is 0"));
}

BOOST_AUTO_TEST_CASE(a_budget_below_zero_is_refused) {
  runtime_config config;
  config.shutdown_budget = std::chrono::nanoseconds{-1};
  BOOST_TEST(contains(complaint_about(config), "shutdown_budget is below zero"));
}

BOOST_AUTO_TEST_CASE(no_clock_is_refused) {
  runtime_config config;
  config.clock = nullptr;
  BOOST_TEST(contains(complaint_about(config), "clock is null"));
}

BOOST_AUTO_TEST_CASE(a_runtime_object_throws_on_a_bad_setting) {
  runtime_config config;
  config.max_blocking_threads = 0;
  BOOST_CHECK_THROW(runtime{config}, std::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
