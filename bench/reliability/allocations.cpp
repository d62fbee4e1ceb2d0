// Fails each allocation of several scripts once, and prints one line of JSON.
//
// Each time in a process of its own, made by fork(): what ends, hangs or corrupts it is seen from
// outside. There the script first meets the failure cold; then it has to run as if nothing had
// been; and then the failure, now warm, must leave no block behind.

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iterator>
#include <string>
#include <string_view>
#include <thread>

#include <fmt/core.h>

#include <troupe/actor/errors.hpp>
#include <troupe/actor/undelivered.hpp>
#include <troupe/base/log.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/task/failure.hpp>

#include "../../samples/options.hpp"
#include "allocation_scripts.hpp"
#include "failing_memory.hpp"

namespace reliability {

namespace {

// How a process with one failure has ended; those that have not run to their end are the parent's.
enum class end : int { well = 10, not_reached, silent, unusable, leak, crash, hang };

constexpr std::string_view names_of_ends[] = {"well", "not reached", "silent", "unusable after",
                                              "leak", "crash",       "hang"};

std::string_view name_of(end how) { return names_of_ends[static_cast<int>(how) - 10]; }

constexpr unsigned hang_seconds = 30;

// --- within the process that fails ---

troupe::pal::atomic<int> told{0};

void hear_log(troupe::log_level level, std::string_view) {
  if (level >= troupe::log_level::warning) ++told;
}
void hear_failure(const troupe::failure&) { ++told; }
void hear_undelivered(const troupe::undelivered&) { ++told; }

// A time limit tells that something was lost, not what.
bool is_time_limit(const boost::system::error_code& code) {
  return code == troupe::errc::timed_out || code == troupe::ask_errc::timeout ||
         code == troupe::ask_errc::expired;
}

struct seen {
  bool has_failed = false;  // The allocation.
  bool is_right = false;    // What the script wanted.
  bool was_told = false;
};

// The blocking pool's threads are detached: they end, and give back what they have kept, a moment
// after it.
void wait_for_other_threads() {
  namespace fs = std::filesystem;
  auto count = [] {
    return std::distance(fs::directory_iterator{"/proc/self/task"}, fs::directory_iterator{});
  };
  while (count() > 1) std::this_thread::yield();
}

// Runs it on a thread of its own, whose end gives back what it has kept for its next blocks.
seen run_once(const script& of, std::uint64_t nth, std::uint64_t more) {
  seen what;
  told.store(0);
  (void)was_all_as_expected();
  std::thread runner{[&] {
    bool was_thrown = false;
    if (nth != 0) failing_memory::fail_at(nth, more);
    try {
      of.run();
    } catch (const boost::system::system_error& error) {
      was_thrown = true;
      if (!is_time_limit(error.code())) ++told;
    } catch (...) {
      was_thrown = true;
      ++told;
    }
    what.has_failed = failing_memory::relent() != 0;
    what.is_right = was_all_as_expected() && !was_thrown;
    what.was_told = told.load() != 0;
  }};
  runner.join();
  wait_for_other_threads();
  return what;
}

end meet_failure(const script& of, std::uint64_t nth, std::uint64_t more) {
  troupe::set_log_sink(&hear_log);
  troupe::set_failure_sink(&hear_failure);
  troupe::set_undelivered_sink(&hear_undelivered);
  seen cold = run_once(of, nth, more);
  if (cold.has_failed && !cold.is_right && !cold.was_told) return end::silent;
  if (!run_once(of, 0, 0).is_right) return end::unusable;
  std::int64_t before = failing_memory::held();
  seen warm = run_once(of, nth, more);
  if (warm.has_failed && !warm.is_right && !warm.was_told) return end::silent;
  if (failing_memory::held() > before) return end::leak;
  return cold.has_failed || warm.has_failed ? end::well : end::not_reached;
}

// --- the one that looks on ---

end meet_failure_apart(const script& of, std::uint64_t nth, std::uint64_t more) {
  std::fflush(stdout);
  pid_t child = ::fork();
  if (child == 0) {
    ::alarm(hang_seconds);
    ::_exit(static_cast<int>(meet_failure(of, nth, more)));
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child) std::abort();
  if (WIFSIGNALED(status)) return WTERMSIG(status) == SIGALRM ? end::hang : end::crash;
  int code = WEXITSTATUS(status);
  bool is_known = code >= static_cast<int>(end::well) && code <= static_cast<int>(end::leak);
  return is_known ? static_cast<end>(code) : end::crash;  // A misuse, or a sanitizer's report.
}

struct totals {
  std::uint64_t scripts = 0, failures = 0, well = 0;
  std::uint64_t wrong[5]{};  // From `silent` on.
  std::string first_wrong;

  void add(const script& of, std::uint64_t nth, end how) {
    ++failures;
    if (how == end::well) {
      ++well;
      return;
    }
    ++wrong[static_cast<int>(how) - static_cast<int>(end::silent)];
    std::string text = fmt::format("{} --nth {}: {}", of.name, nth, name_of(how));
    fmt::print(stderr, "{}\n", text);
    if (first_wrong.empty()) first_wrong = text;
  }
};

void fail_each(const script& of, std::uint64_t more, totals& into) {
  ++into.scripts;
  for (std::uint64_t nth = 1;; ++nth) {
    end how = meet_failure_apart(of, nth, more);
    if (how == end::not_reached) return;
    into.add(of, nth, how);
  }
}

}  // namespace
}  // namespace reliability

int main(int argc, char** argv) {
  using namespace reliability;
  samples::options given{argc, argv};
  std::string only = given.text("--script", "NAME");
  auto nth = given.number<std::uint64_t>("--nth", 0, 0, UINT64_MAX);
  auto more = given.number<std::uint64_t>("--more", 0, 0, 1'000'000'000);
  bool shall_check = given.flag("--check");
  given.end();
  totals all;
  for (const script& each : all_scripts()) {
    if (!only.empty() && only != each.name) continue;
    if (nth != 0) {  // For a debugger: in this process.
      fmt::print("{}\n", name_of(meet_failure(each, nth, more)));
      return 0;
    }
    fail_each(each, more, all);
  }
  fmt::print(R"({{"scripts": {}, "failures": {}, "well": {}, "silent": {}, "unusable": {}, )"
             R"("leaks": {}, "crashes": {}, "hangs": {}, "first_wrong": "{}"}})"
             "\n",
             all.scripts, all.failures, all.well, all.wrong[0], all.wrong[1], all.wrong[2],
             all.wrong[3], all.wrong[4], all.first_wrong);
  if (all.failures == 0) return 2;
  return shall_check && all.well < all.failures ? 1 : 0;
}
