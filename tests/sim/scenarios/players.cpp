#include "players.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "play.hpp"

namespace troupe::scenarios {

namespace {

constexpr int seconds_per_scenario = 20;  // Of CPU time: a machine that is busy changes nothing.

[[noreturn]] void throw_errno(const char* what) {
  throw std::system_error{errno, std::generic_category(), what};
}

void write_all(int pipe, std::string_view text) {
  while (!text.empty()) {
    ssize_t count = ::write(pipe, text.data(), text.size());
    if (count < 0) std::_Exit(3);
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

// A turn without end ends the process, which tells who waits for it. A process that waits for
// itself uses no CPU: it has more time.
void set_limit() {
  itimerval limit{};
  limit.it_value.tv_sec = seconds_per_scenario;
  ::setitimer(ITIMER_PROF, &limit, nullptr);
  ::alarm(seconds_per_scenario * 10);
}

// Lines: `begin SEED`, then `end SEED FAMILY HASH STEPS NANOSECONDS TWICE` or
// `violation SEED FAMILY TEXT`.
void play_some(const task_list& what, std::uint64_t from, int pipe) {
  for (std::uint64_t seed = from; seed <= what.last; seed += what.jobs) {
    write_all(pipe, fmt::format("begin {}\n", seed));
    set_limit();
    bool is_twice = seed % what.twice_every == 0;
    outcome seen = is_twice ? play_twice(seed, what.family) : play(seed, what.family, false);
    if (seen.violation) {
      std::string text = *seen.violation;
      std::replace(text.begin(), text.end(), '\n', '\v');
      write_all(pipe, fmt::format("violation {} {} {}\n", seed, seen.family, text));
    } else {
      write_all(pipe, fmt::format("end {} {} {} {} {} {}\n", seed, seen.family, seen.hash,
                                  seen.steps, seen.length.count(), is_twice ? 1 : 0));
    }
  }
}

struct totals {
  std::uint64_t scenarios = 0, violations = 0, steps = 0, rehashed = 0, hash = 0;
  double simulated_seconds = 0;
  std::optional<std::uint64_t> first_violation;
  std::map<std::string, std::uint64_t> by_family;
};

class player {
public:
  player(const task_list& what, std::uint64_t from) : what_{what}, next_{from} { start(); }

  [[nodiscard]] int pipe() const noexcept { return pipe_; }
  [[nodiscard]] bool has_ended() const noexcept { return pipe_ < 0; }

  // Reads what has come.
  void read(totals& sum, std::string_view program) {
    char piece[4096];
    ssize_t count = ::read(pipe_, piece, sizeof piece);
    if (count > 0) {
      text_.append(piece, static_cast<std::size_t>(count));
      for (auto end = text_.find('\n'); end != std::string::npos; end = text_.find('\n')) {
        take_line(text_.substr(0, end), sum, program);
        text_.erase(0, end + 1);
      }
      return;
    }
    int status = reap();
    if (status == 0) return;
    report(sum, program, "crashed",
           WIFSIGNALED(status) ? describe_signal(WTERMSIG(status)) : "the process ends");
    next_ += what_.jobs;
    if (what_.keeps_going && next_ <= what_.last) start();
  }

  void end() {
    if (has_ended()) return;
    ::kill(process_, SIGKILL);
    reap();
  }

private:
  void start() {
    std::fflush(nullptr);
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw_errno("pipe");
    process_ = ::fork();
    if (process_ < 0) throw_errno("fork");
    if (process_ == 0) {
      ::close(ends[0]);
      play_some(what_, next_, ends[1]);
      std::_Exit(0);
    }
    ::close(ends[1]);
    pipe_ = ends[0];
  }

  int reap() {
    ::close(std::exchange(pipe_, -1));
    int status = 0;
    ::waitpid(process_, &status, 0);
    return status;
  }

  static std::string describe_signal(int number) {
    if (number == SIGPROF || number == SIGALRM) return "a turn does not end";
    return fmt::format("the process is ended by: {}", ::strsignal(number));
  }

  void take_line(const std::string& line, totals& sum, std::string_view program) {
    char kind[16] = "", name[64] = "";
    unsigned long long seed = 0, hash = 0, steps = 0;
    long long nanoseconds = 0;
    int twice = 0, at = 0;
    std::sscanf(line.c_str(), "%15s %llu %63s %n", kind, &seed, name, &at);
    std::string_view is = kind;
    next_ = seed;
    if (is == "violation") {
      std::string text = line.substr(static_cast<std::size_t>(at));
      std::replace(text.begin(), text.end(), '\v', '\n');
      report(sum, program, name, text);
    } else if (is == "end") {
      std::sscanf(line.c_str() + at, "%llu %llu %lld %d", &hash, &steps, &nanoseconds, &twice);
      ++sum.scenarios;
      ++sum.by_family[name];
      sum.hash ^= hash;
      sum.steps += steps;
      sum.simulated_seconds += static_cast<double>(nanoseconds) / 1e9;
      sum.rehashed += twice != 0 ? 1 : 0;
    }
  }

  void report(totals& sum, std::string_view program, std::string_view name,
              std::string_view text) const {
    ++sum.scenarios;
    ++sum.violations;
    if (!sum.first_violation || next_ < *sum.first_violation) sum.first_violation = next_;
    fmt::print("seed {} ({}) does not hold: {}\n  {} --seeds {} --replay{}\n", next_, name, text,
               program, next_, what_.family.empty() ? "" : " --family " + what_.family);
    std::fflush(stdout);
  }

  const task_list& what_;
  std::uint64_t next_;  // The seed that is played.
  pid_t process_ = -1;
  int pipe_ = -1;
  std::string text_;
};

std::string to_json(const task_list& what, const totals& sum) {
  std::string by_family;
  for (const auto& [name, count] : sum.by_family) {
    by_family += fmt::format("{}\"{}\": {}", by_family.empty() ? "" : ", ", name, count);
  }
  return fmt::format(
      "{{\"seeds\": \"{}..{}\", \"scenarios\": {}, \"violations\": {}, \"first_violation\": {}, "
      "\"simulated_hours\": {:.4f}, \"steps\": {}, \"rehashed\": {}, \"hash\": \"{:016x}\", "
      "\"by_family\": {{{}}}}}",
      what.first, what.last, sum.scenarios, sum.violations,
      sum.first_violation ? fmt::format("{}", *sum.first_violation) : "null",
      sum.simulated_seconds / 3600, sum.steps, sum.rehashed, sum.hash, by_family);
}

}  // namespace

int play_all(const task_list& what, std::string_view program) {
  totals sum;
  std::vector<player> players;
  for (std::size_t i = 0; i < what.jobs && what.first + i <= what.last; ++i) {
    players.emplace_back(what, what.first + i);
  }
  for (;;) {
    std::vector<pollfd> pipes;
    std::vector<player*> readers;
    for (player& each : players) {
      if (each.has_ended()) continue;
      pipes.push_back({each.pipe(), POLLIN, 0});
      readers.push_back(&each);
    }
    bool is_over = pipes.empty() || (sum.violations > 0 && !what.keeps_going);
    if (is_over) break;
    if (::poll(pipes.data(), pipes.size(), -1) < 0) throw_errno("poll");
    for (std::size_t i = 0; i < pipes.size(); ++i) {
      if (pipes[i].revents != 0) readers[i]->read(sum, program);
    }
  }
  for (player& each : players) each.end();
  fmt::print("{}\n", to_json(what, sum));
  return sum.violations == 0 ? 0 : 1;
}

}  // namespace troupe::scenarios
