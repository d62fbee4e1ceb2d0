#include <sched.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>

#include <boost/test/unit_test.hpp>

#include <troupe/actor/actor.hpp>
#include <troupe/pal/thread.hpp>
#include <troupe/runtime/config.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sync/mpsc.hpp>

namespace troupe {

using namespace std::chrono_literals;

namespace {

// A variable of the environment as a case wants it; what it was comes back afterwards.
class variable {
public:
  variable(const char* name, const char* text) : name_{name} {
    if (const char* before = std::getenv(name)) former_ = before;
    text == nullptr ? ::unsetenv(name) : ::setenv(name, text, 1);
  }
  ~variable() { former_ ? ::setenv(name_, former_->c_str(), 1) : ::unsetenv(name_); }
  variable(const variable&) = delete;
  variable& operator=(const variable&) = delete;

private:
  const char* name_;
  std::optional<std::string> former_;
};

struct workers_variable : variable {
  explicit workers_variable(const char* text) : variable{"TROUPE_WORKERS", text} {}
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

BOOST_AUTO_TEST_CASE(the_environment_says_what_the_program_has_left_open) {
  variable pin{"TROUPE_PIN_WORKERS", "on"}, budget{"TROUPE_BUDGET", "7"};
  variable capacity{"TROUPE_MAILBOX_CAPACITY", "12"}, pool{"TROUPE_MAX_BLOCKING_THREADS", "3"};
  variable deadline{"TROUPE_DEADLINE", "250ms"}, stop{"TROUPE_SHUTDOWN_BUDGET", "2min"};
  variable stalls{"TROUPE_STALL_THRESHOLD", "0"};
  runtime_config config = resolve({});
  BOOST_TEST(config.pin_workers);
  BOOST_TEST(config.budget == 7u);
  BOOST_TEST(config.mailbox_capacity == 12u);
  BOOST_TEST(config.max_blocking_threads == 3u);
  BOOST_TEST((config.deadline == 250ms));
  BOOST_TEST((config.shutdown_budget == 2min));
  BOOST_TEST((config.stall_threshold == 0ns));
  runtime_config chosen;
  chosen.deadline = 1s;
  BOOST_TEST((resolve(chosen).deadline == 1s));
}

BOOST_AUTO_TEST_CASE(a_bad_word_in_the_environment_is_refused_by_name) {
  struct {
    const char* name;
    const char* text;
    const char* told;
  } bad[] = {{"TROUPE_DEADLINE", "0s", "a duration above zero"},
             {"TROUPE_DEADLINE", "5", "a duration"},
             {"TROUPE_DEADLINE", "-5s", "a duration"},
             {"TROUPE_SHUTDOWN_BUDGET", "9999999999h", "a duration"},
             {"TROUPE_PIN_WORKERS", "yes", "on, off"},
             {"TROUPE_BUDGET", "0", "from 1 to"},
             {"TROUPE_MAILBOX_CAPACITY", "65536", "from 1 to 65535"}};
  for (auto [name, text, told] : bad) {
    variable set{name, text};
    std::string line = complaint_about({});
    BOOST_TEST_CONTEXT(name << "='" << text << "'") {
      BOOST_TEST(contains(line, std::string{name} + " is '" + text + "': it must be "));
      BOOST_TEST(contains(line, told));
      BOOST_TEST(!contains(line, "\n"));
    }
  }
}

BOOST_AUTO_TEST_CASE(hooks_see_each_worker_begin_and_end_on_its_own_thread) {
  std::array<std::atomic<int>, 3> begun{}, ended{};
  std::array<pal::thread_id, 3> threads{};
  runtime_config config;
  config.workers = 3;
  config.on_thread_start = [&](std::size_t worker) {
    threads[worker] = pal::this_thread();
    ++begun[worker];
  };
  config.on_thread_stop = [&](std::size_t worker) {
    if (pthread_equal(threads[worker], pal::this_thread()) != 0) ++ended[worker];
  };
  {
    runtime rt{config};
  }
  for (std::size_t i = 0; i < 3; ++i) {
    BOOST_TEST(begun[i].load() == 1);
    BOOST_TEST(ended[i].load() == 1);
  }
}

BOOST_AUTO_TEST_CASE(the_mailbox_capacity_is_that_of_actors_which_name_none) {
  struct note {};
  class quiet : public actor {
  public:
    void on(note) {}
  };
  runtime_config config;
  config.workers = 1;
  config.mailbox_capacity = 3;
  runtime rt{config};
  int taken = rt.block_on([]() -> task<int> {
    auto q = spawn<quiet>();
    int count = 0;
    while (q.try_send(note{})) ++count;
    co_return count;
  });
  BOOST_TEST(taken == 3);
}

BOOST_AUTO_TEST_CASE(the_budget_says_after_how_many_operations_a_task_gives_way) {
  runtime_config config;
  config.workers = 1;
  config.budget = 5;
  runtime rt{config};
  std::size_t operations = rt.block_on([]() -> task<std::size_t> {
    auto [tx, rx] = mpsc<int>(100);
    std::size_t done = 0;
    auto other = spawn([]() -> task<> { co_return; });
    for (; !other.done(); ++done) co_await tx.send(1);
    co_return done;
  });
  BOOST_TEST(operations <= 6u);
}

BOOST_AUTO_TEST_CASE(a_pinned_worker_runs_on_one_core) {
  runtime_config config;
  config.workers = 1;
  config.pin_workers = true;
  runtime rt{config};
  int cores = rt.block_on([]() -> task<int> {
    cpu_set_t set;
    sched_getaffinity(0, sizeof set, &set);
    co_return CPU_COUNT(&set);
  });
  BOOST_TEST(cores == 1);
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
