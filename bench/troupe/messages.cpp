#include <troupe/runtime/runtime.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include <troupe/runtime/run.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sync/mpsc.hpp>
#include <troupe/sync/oneshot.hpp>
#include <troupe/task/scope.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/yield.hpp>

#include "works.hpp"

namespace troupe::bench {

namespace {

// From inside: N trivial tasks, whose handles are dropped and who are counted.
double spawn_tasks(const settings& given) {
  std::size_t count = size_or(given, 1'000'000);
  return on_runtime(given, [count]() -> task<double> {
    // Not in the frame of the one that spawns: what all others write would slow it down.
    auto all = std::make_unique<countdown>(count);
    auto start = real_clock::now();
    for (std::size_t i = 0; i < count; ++i) {
      spawn([all = all.get()]() -> task<> {
        all->count_down();
        co_return;
      });
    }
    co_await all->zero();
    co_return static_cast<double>(count) / seconds_since(start);
  });
}

double yield_often(const settings& given) {
  constexpr std::size_t tasks = 200;
  std::size_t rounds = size_or(given, 2'000'000) / tasks;
  return on_runtime(given, [rounds]() -> task<double> {
    auto start = real_clock::now();
    co_await scope([rounds](scope_handle all) -> task<> {
      for (std::size_t i = 0; i < tasks; ++i) {
        all.spawn([rounds]() -> task<> {
          for (std::size_t n = 0; n < rounds; ++n) co_await yield();
        });
      }
      co_return;
    });
    co_return static_cast<double>(tasks * rounds) / seconds_since(start);
  });
}

task<> send_numbers(sender<std::uint64_t> out, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) co_await out.send(std::uint64_t{i});
}

double fan_in(const settings& given, bool bounded) {
  constexpr std::size_t producers = 4;
  std::size_t each = size_or(given, 4'000'000) / producers;
  return on_runtime(given, [each, bounded]() -> task<double> {
    auto ends = bounded ? mpsc<std::uint64_t>(1024) : mpsc_unbounded<std::uint64_t>();
    auto start = real_clock::now();
    for (std::size_t i = 0; i < producers; ++i) spawn(send_numbers, ends.tx, each);
    {
      auto last = std::move(ends.tx);
    }
    std::uint64_t sum = 0;
    std::size_t received = 0;
    while (auto value = co_await ends.rx.recv()) {
      sum += *value;
      ++received;
    }
    double seconds = seconds_since(start);
    if (received != producers * each || sum != producers * (each * (each - 1) / 2)) {
      throw std::runtime_error{"fan_in: numbers were lost"};
    }
    co_return static_cast<double>(received) / seconds;
  });
}

struct question {
  std::uint64_t number;
  oneshot_sender<std::uint64_t> answer;
};

task<> answer_questions(receiver<question> in) {
  while (auto asked = co_await in.recv()) asked->answer.send(asked->number + 1);
}

task<> ask_questions(sender<question> out, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    auto [tx, rx] = oneshot<std::uint64_t>();
    question asked{i, std::move(tx)};
    co_await out.send(take(asked));
    if (co_await rx != i + 1) throw std::runtime_error{"a wrong answer"};
  }
}

double request_reply(const settings& given, std::size_t clients, std::size_t usual) {
  std::size_t each = size_or(given, usual) / clients;
  return on_runtime(given, [clients, each]() -> task<double> {
    auto ends = mpsc<question>(1024);
    auto start = real_clock::now();
    auto server = spawn(answer_questions, std::move(ends.rx));
    for (std::size_t i = 0; i < clients; ++i) spawn(ask_questions, ends.tx, each);
    {
      auto last = std::move(ends.tx);
    }
    co_await server;
    co_return static_cast<double>(clients * each) / seconds_since(start);
  });
}

double empty_run(const settings& given) {
  runtime_config config;
  config.workers = given.workers;
  auto start = real_clock::now();
  int code = run(config, []() -> task<> { co_return; });
  return code == 0 ? seconds_since(start) * 1e3 : -1;
}

}  // namespace

std::map<std::string, work> message_works() {
  return {
      {"spawn", {"tasks/s", &spawn_tasks}},
      {"yield", {"yields/s", &yield_often}},
      {"fan_in", {"values/s", [](const settings& s) { return fan_in(s, true); }}},
      {"fan_in_unbounded", {"values/s", [](const settings& s) { return fan_in(s, false); }}},
      {"ping_pong",
       {"requests/s", [](const settings& s) { return request_reply(s, 1, 1'000'000); }}},
      {"coordinator",
       {"requests/s", [](const settings& s) { return request_reply(s, 8, 2'000'000); }}},
      {"start", {"ms", &empty_run}},
  };
}

const std::map<std::string, work>& works() {
  static const auto all = [] {
    auto every = message_works();
    every.merge(task_works());
    every.merge(time_works());
    every.merge(actor_works());
    every.merge(network_works());
    every.merge(crash_works());
    every.merge(steal_works());
    every.merge(growth_works());
    return every;
  }();
  return all;
}

int stay_idle(const settings& given) {
  runtime_config config;
  config.workers = given.workers;
  return run(config, []() -> task<> {
    fmt::print("idle\n");
    std::fflush(stdout);
    using namespace std::chrono_literals;
    co_await sleep_for(1h);
  });
}

}  // namespace troupe::bench
