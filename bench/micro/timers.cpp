// The timer wheel, with none and with many other timers in it.

#include <chrono>
#include <cstdint>
#include <vector>

#include <benchmark/benchmark.h>

#include <troupe/sched/detail/timer_wheel.hpp>

namespace troupe::bench {

namespace {

using namespace std::chrono_literals;

// All deadlines lie in one second, in no order.
void insert_all(detail::timer_wheel& wheel, std::vector<detail::timer_node>& nodes,
                time_point first) {
  constexpr std::size_t spread_us = 1'000'000, prime = 7'919;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    nodes[i].fired.store(false);
    nodes[i].deadline = first + std::chrono::microseconds{i * prime % spread_us};
    (void)wheel.insert(nodes[i]);
  }
}

void timer_arm_cancel(benchmark::State& state) {
  detail::timer_wheel wheel{time_point{}};
  std::vector<detail::timer_node> others(static_cast<std::size_t>(state.range(0)));
  insert_all(wheel, others, time_point{10s});
  detail::timer_node node;
  node.deadline = time_point{10s + 300ms};
  for (auto _ : state) {
    benchmark::DoNotOptimize(wheel.insert(node));
    wheel.erase(node);
  }
  for (auto& each : others) wheel.erase(each);
}
BENCHMARK(timer_arm_cancel)->Arg(0)->Arg(1'000)->Arg(1'000'000);

void timer_arm_fire(benchmark::State& state) {
  detail::timer_wheel wheel{time_point{}};
  std::vector<detail::timer_node> nodes(static_cast<std::size_t>(state.range(0)));
  time_point current{};
  for (auto _ : state) {
    insert_all(wheel, nodes, current + 1s);
    current += 3s;
    wheel.advance(current, SIZE_MAX, true);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(timer_arm_fire)->Arg(1)->Arg(1'000)->Arg(1'000'000);

}  // namespace

}  // namespace troupe::bench
