// What it costs to have many of something: actors, timers. `bench/growth.py` runs these works at
// one size after the other.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <troupe/actor/actor.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/when_all.hpp>
#include <troupe/task/yield.hpp>

#include "works.hpp"

namespace troupe::bench {

namespace {

using namespace std::chrono_literals;

struct question {
  std::uint64_t number;
};

class idler : public actor {
public:
  std::uint64_t on(question q) { return last_ = q.number; }

private:
  std::uint64_t last_ = 0;  // Eight bytes of state.
};

using crowd = std::vector<ref<idler>>;

// What takes long gives way, so that it counts as no stall.
constexpr std::size_t batch = 1024;

task<> spawn_into(std::span<ref<idler>> places) {
  for (std::size_t i = 0; i < places.size(); ++i) {
    places[i] = spawn<idler>();
    if (i % batch == batch - 1) co_await yield();
  }
}

// Their actors end with the refs.
task<> let_go(crowd all) {
  while (!all.empty()) {
    all.resize(all.size() - std::min(all.size(), batch), all.front());
    co_await yield();
  }
}

enum class order : bool { as_spawned, scattered };

task<> ask_some(std::span<ref<idler>> some, std::size_t messages, order how) {
  std::uint64_t random = 88'172'645'463'325'252;  // xorshift64, the same in every run.
  std::size_t at = 0;
  for (std::uint64_t i = 0; i < messages; ++i) {
    std::uint64_t answer = co_await some[at].ask(question{i});
    if (answer != i) throw std::runtime_error{"a wrong answer"};
    if (how == order::scattered) {
      random ^= random << 13;
      random ^= random >> 7;
      random ^= random << 17;
      at = (random >> 32) * some.size() >> 32;
    } else if (++at == some.size()) {
      at = 0;
    }
  }
}

// One task for each worker asks its share of the actors. Returns: wall-clock time per message.
task<double> nanoseconds_per_message(crowd& all, std::size_t askers, order how) {
  std::size_t share = all.size() / askers;
  std::size_t messages = std::max<std::size_t>(all.size(), 2'000'000) / askers;
  std::vector<task<>> running;
  auto start = real_clock::now();
  for (std::size_t i = 0; i < askers; ++i) {
    running.push_back(ask_some(std::span{all}.subspan(i * share, share), messages, how));
  }
  co_await when_all(std::move(running));
  co_return seconds_since(start) * 1e9 / static_cast<double>(messages * askers);
}

// Many live actors, with the refs that hold them already in memory.
std::vector<double> grow_actors(const settings& given) {
  std::size_t count = size_or(given, 1'000), askers = given.workers;
  return on_runtime(given, [count, askers]() -> task<std::vector<double>> {
    crowd all(count, spawn<idler>());
    std::size_t before = resident_bytes();
    auto start = real_clock::now();
    co_await spawn_into(all);
    double spawn_ns = seconds_since(start) * 1e9 / static_cast<double>(count);
    co_await ask_some(all, count, order::as_spawned);  // A first message may cost memory.
    auto bytes = static_cast<double>(resident_bytes() - before) / static_cast<double>(count);
    double in_order = co_await nanoseconds_per_message(all, askers, order::as_spawned);
    double scattered = co_await nanoseconds_per_message(all, askers, order::scattered);
    co_await let_go(std::move(all));
    co_return std::vector<double>{in_order, scattered, bytes, spawn_ns};
  });
}

// Returns: the most memory that this process ever held.
double peak_bytes() {
  std::ifstream status{"/proc/self/status"};
  for (std::string word; status >> word;) {
    double kibibytes = 0;
    if (word == "VmHWM:" && status >> kibibytes) return kibibytes * 1024;
  }
  throw std::runtime_error{"no VmHWM in /proc/self/status"};
}

void tell(const char* what, std::size_t count, real_clock::time_point start) {
  fmt::print(stderr, "growth_crowd: {} {} after {:.1f} s\n", count, what, seconds_since(start));
}

// As many idle actors as the machine holds, each of which answers once.
std::vector<double> crowd_answers(const settings& given) {
  std::size_t count = size_or(given, 100'000'000);
  return on_runtime(given, [count]() -> task<std::vector<double>> {
    crowd all;
    all.reserve(count);
    std::size_t step = std::max<std::size_t>(count / 10, 1);
    auto start = real_clock::now();
    while (all.size() < count) {
      all.push_back(spawn<idler>());
      if (all.size() % batch == 0) co_await yield();
      if (all.size() % step == 0) tell("actors alive", all.size(), start);
    }
    double spawned_s = seconds_since(start);
    for (std::size_t i = 0; i < count; ++i) {
      std::uint64_t answer = co_await all[i].ask(question{i});
      if (answer != i) throw std::runtime_error{"a wrong answer"};
      if ((i + 1) % step == 0) tell("answers", i + 1, start);
    }
    double answered_s = seconds_since(start) - spawned_s;
    co_await let_go(std::move(all));
    double all_s = seconds_since(start);
    tell("actors ended", count, start);
    co_return std::vector<double>{all_s, spawned_s, answered_s, peak_bytes() / (1 << 30)};
  });
}

// CPU time of all threads of this process.
double cpu_nanoseconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

task<> sleep_through(time_point deadline, countdown& armed, countdown& fired) {
  armed.count_down();
  co_await sleep_until(deadline);
  fired.count_down();
}

task<> give_way() { co_await yield(); }

// Tasks that sleep for some seconds, of which then one wakes up in each microsecond, in no order;
// and timeouts beside them.
std::vector<double> grow_timers(const settings& given) {
  std::size_t count = size_or(given, 1'000);
  return on_runtime(given, [count]() -> task<std::vector<double>> {
    constexpr std::size_t timeouts = 100'000;
    constexpr std::uint64_t prime = 7'919;
    countdown armed{count}, fired{count};
    double cpu_before = cpu_nanoseconds();
    time_point first = now() + 2s + count * 10us;
    for (std::size_t i = 0; i < count; ++i) {
      time_point deadline = first + std::chrono::microseconds{i * prime % count};
      (void)spawn([deadline, &armed, &fired] { return sleep_through(deadline, armed, fired); });
      if (i % batch == batch - 1) co_await yield();
    }
    co_await armed.zero();
    double armed_ns = (cpu_nanoseconds() - cpu_before) / static_cast<double>(count);
    auto start = real_clock::now();
    for (std::size_t i = 0; i < timeouts; ++i) co_await timeout(10s, give_way());
    double timeout_ns = seconds_since(start) * 1e9 / static_cast<double>(timeouts);
    co_await sleep_until(first - 20ms);
    if (now() > first) throw std::runtime_error{"growth_timers: fired before all were armed"};
    cpu_before = cpu_nanoseconds();
    co_await fired.zero();
    double fired_ns = (cpu_nanoseconds() - cpu_before) / static_cast<double>(count);
    co_return std::vector<double>{timeout_ns, armed_ns, fired_ns};
  });
}

}  // namespace

std::map<std::string, work> growth_works() {
  std::vector<figure> of_actors{{"growth_actors_message", "ns"},
                                {"growth_actors_scattered", "ns"},
                                {"growth_actors_memory", "bytes"},
                                {"growth_actors_spawn", "ns"}};
  std::vector<figure> of_crowd{{"growth_crowd", "s"},
                               {"growth_crowd_spawn", "s"},
                               {"growth_crowd_answer", "s"},
                               {"growth_crowd_peak", "GiB"}};
  std::vector<figure> of_timers{{"growth_timers_timeout", "ns"},
                                {"growth_timers_arm", "cpu_ns"},
                                {"growth_timers_fire", "cpu_ns"}};
  return {{"growth_actors", {of_actors, &grow_actors}},
          {"growth_crowd", {of_crowd, &crowd_answers}},
          {"growth_timers", {of_timers, &grow_timers}}};
}

}  // namespace troupe::bench
