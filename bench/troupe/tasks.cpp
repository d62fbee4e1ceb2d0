#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include <troupe/pal/atomic.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sync/mpsc.hpp>
#include <troupe/task/spawn.hpp>

#include "works.hpp"

namespace troupe::bench {

namespace {

constexpr std::size_t children = 10;

task<std::uint64_t> skynet_node(std::uint64_t first, std::uint64_t leaves);

template <std::size_t... I>
std::array<join_handle<std::uint64_t>, sizeof...(I)> start_children(std::uint64_t first,
                                                                    std::uint64_t part,
                                                                    std::index_sequence<I...>) {
  return {spawn(skynet_node, first + I * part, part)...};
}

// Answers with the sum of the leaves from `first` on.
task<std::uint64_t> skynet_node(std::uint64_t first, std::uint64_t leaves) {
  if (leaves == 1) co_return first;
  auto parts = start_children(first, leaves / children, std::make_index_sequence<children>{});
  std::uint64_t sum = 0;
  for (auto& each : parts) sum += co_await each;
  co_return sum;
}

// Every node and every leaf is a task; the sums come back through the join handles.
double skynet(const settings& given) {
  std::uint64_t leaves = tree_leaves(size_or(given, 1'000'000));
  return on_runtime(given, [leaves]() -> task<double> {
    auto start = real_clock::now();
    std::uint64_t sum = co_await spawn(skynet_node, std::uint64_t{0}, leaves);
    double seconds = seconds_since(start);
    if (sum != leaves * (leaves - 1) / 2) throw std::runtime_error{"skynet: a wrong sum"};
    co_return seconds;
  });
}

task<> serve(receiver<std::uint64_t> in, pal::atomic<std::size_t>& idle) {
  idle.fetch_add(1, std::memory_order_relaxed);
  for (;;) {
    auto asked = co_await in.recv();
    if (!asked) co_return;
  }
}

// Of each of many tasks that wait for what their bounded channel brings. The senders live in memory
// that was touched before. Only the first measurement of a process counts: cells are kept.
double resident_bytes_of_task(const settings& given) {
  std::size_t count = size_or(given, 1'000'000);
  return on_runtime(given, [count]() -> task<double> {
    using namespace std::chrono_literals;
    std::vector<std::optional<sender<std::uint64_t>>> senders(count);
    pal::atomic<std::size_t> idle{0};
    std::size_t before = resident_bytes();
    for (auto& each : senders) {
      auto ends = mpsc<std::uint64_t>(64);
      each = std::move(ends.tx);
      spawn(serve, std::move(ends.rx), std::ref(idle));
    }
    while (idle.load(std::memory_order_relaxed) < count) co_await sleep_for(1ms);
    std::size_t after = resident_bytes();
    co_return static_cast<double>(after - before) / static_cast<double>(count);
  });
}

}  // namespace

std::map<std::string, work> task_works() {
  return {
      {"skynet", {"s", &skynet}},
      {"memory", {"bytes", &resident_bytes_of_task}},
  };
}

}  // namespace troupe::bench
