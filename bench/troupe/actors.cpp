#include <cstdint>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include <troupe/actor/actor.hpp>
#include <troupe/task/when_all.hpp>

#include "works.hpp"

namespace troupe::bench {

namespace {

struct question {
  std::uint64_t number;
};

class server : public actor {
public:
  std::uint64_t on(question q) { return q.number + 1; }
};

struct begin {};

template <class A>
task<> run_one(ref<A> asked) {
  co_await asked.ask(begin{}, within(std::chrono::hours{1}));
}

// Has all of them do their work at the same time.
template <class A>
task<> run_all(const std::vector<ref<A>>& all) {
  std::vector<task<>> runs;
  for (const auto& each : all) runs.push_back(run_one(each));
  co_await when_all(std::move(runs));
}

class client : public actor {
public:
  client(ref<server> to, std::size_t count) : to_{std::move(to)}, count_{count} {}

  task<> on(begin) {
    for (std::uint64_t i = 0; i < count_; ++i) {
      if (co_await to_.ask(question{i}) != i + 1) throw std::runtime_error{"a wrong answer"};
    }
  }

private:
  ref<server> to_;
  std::size_t count_;
};

double request_reply(const settings& given, std::size_t clients, std::size_t usual) {
  std::size_t each = size_or(given, usual) / clients;
  return on_runtime(given, [clients, each]() -> task<double> {
    auto one = spawn<server>();
    std::vector<ref<client>> all;
    for (std::size_t i = 0; i < clients; ++i) all.push_back(spawn<client>(one, each));
    auto start = real_clock::now();
    co_await run_all(all);
    co_return static_cast<double>(clients * each) / seconds_since(start);
  });
}

struct number {
  std::uint64_t value;
};
struct totals {
  std::uint64_t sum;
  std::size_t received;
};
struct report {
  using reply = totals;
};

class sink : public actor {
public:
  void on(number n) {
    all_.sum += n.value;
    ++all_.received;
  }
  totals on(report) { return all_; }

private:
  totals all_{0, 0};
};

class source : public actor {
public:
  source(ref<sink> to, std::size_t count) : to_{std::move(to)}, count_{count} {}
  task<> on(begin) {
    for (std::uint64_t i = 0; i < count_; ++i) co_await to_.send(number{i});
  }

private:
  ref<sink> to_;
  std::size_t count_;
};

double actor_fan_in(const settings& given) {
  constexpr std::size_t producers = 4;
  std::size_t each = size_or(given, 4'000'000) / producers;
  return on_runtime(given, [each]() -> task<double> {
    auto to = spawn<sink>();
    std::vector<ref<source>> all;
    for (std::size_t i = 0; i < producers; ++i) all.push_back(spawn<source>(to, each));
    auto start = real_clock::now();
    co_await run_all(all);
    totals found = co_await to.ask(report{});
    double seconds = seconds_since(start);
    if (found.received != producers * each || found.sum != producers * (each * (each - 1) / 2)) {
      throw std::runtime_error{"actor_fan_in: numbers were lost"};
    }
    co_return static_cast<double>(found.received) / seconds;
  });
}

// Each is spawned, cannot be addressed any more at once, and so ends on its first turn.
class leaf : public actor {
public:
  explicit leaf(countdown* all) noexcept : all_{all} {}
  ~leaf() { all_->count_down(); }
  void on(begin) {}

private:
  countdown* all_;
};

double spawn_actors(const settings& given) {
  std::size_t count = size_or(given, 1'000'000);
  return on_runtime(given, [count]() -> task<double> {
    auto all = std::make_unique<countdown>(count);
    auto start = real_clock::now();
    for (std::size_t i = 0; i < count; ++i) (void)spawn<leaf>(all.get());
    co_await all->zero();
    co_return static_cast<double>(count) / seconds_since(start);
  });
}

class idler : public actor {
public:
  std::uint64_t on(question q) { return last_ = q.number; }

private:
  std::uint64_t last_ = 0;  // Eight bytes of state.
};

// Of each of many actors that live, have had mail, and wait for more; without the ref that holds
// it. Only the first measurement of a process counts: blocks are kept for the next actors.
double resident_bytes_of_actor(const settings& given) {
  std::size_t count = size_or(given, 1'000'000);
  return on_runtime(given, [count]() -> task<double> {
    auto first = spawn<idler>();
    std::vector<ref<idler>> all(count, first);
    std::size_t before = resident_bytes();
    for (auto& each : all) {
      each = spawn<idler>();
      (void)co_await each.ask(question{1});
    }
    std::size_t after = resident_bytes();
    co_return static_cast<double>(after - before) / static_cast<double>(count);
  });
}

}  // namespace

std::map<std::string, work> actor_works() {
  return {
      {"actor_ping_pong",
       {"requests/s", [](const settings& s) { return request_reply(s, 1, 1'000'000); }}},
      {"actor_coordinator",
       {"requests/s", [](const settings& s) { return request_reply(s, 8, 2'000'000); }}},
      {"actor_fan_in", {"values/s", &actor_fan_in}},
      {"actor_spawn", {"tasks/s", &spawn_actors}},
      {"actor_memory", {"bytes", &resident_bytes_of_actor}},
  };
}

}  // namespace troupe::bench
