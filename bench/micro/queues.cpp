// One push and one pop of what the works are made of.

#include <array>

#include <benchmark/benchmark.h>

#include <troupe/sched/detail/run_queue.hpp>
#include <troupe/sync/message_queue.hpp>
#include <troupe/sync/mpsc.hpp>

namespace troupe::bench {

namespace {

struct nothing final : job {
  nothing() : job{[](job&) noexcept {}} {}
};

void run_queue_push_pop(benchmark::State& state) {
  detail::run_queue queue;
  nothing ready;
  for (auto _ : state) {
    benchmark::DoNotOptimize(queue.push(ready));
    benchmark::DoNotOptimize(queue.pop());
  }
}
BENCHMARK(run_queue_push_pop);

void run_queue_take_half(benchmark::State& state) {
  detail::run_queue queue;
  std::array<nothing, 2> ready;
  std::array<job*, detail::run_queue::capacity / 2> taken;
  for (auto _ : state) {
    benchmark::DoNotOptimize(queue.push(ready[0]));
    benchmark::DoNotOptimize(queue.push(ready[1]));
    benchmark::DoNotOptimize(queue.take_half(taken));
    benchmark::DoNotOptimize(queue.pop());
  }
}
BENCHMARK(run_queue_take_half);

void message_queue_push_take(benchmark::State& state) {
  auto batch = static_cast<std::size_t>(state.range(0));
  detail::message_queue queue;
  std::vector<detail::message_link> messages(batch);
  bool senders_wait = false;
  std::uint32_t rooms = 0;
  for (auto _ : state) {
    for (auto& each : messages) benchmark::DoNotOptimize(queue.push(each, 1024));
    benchmark::DoNotOptimize(queue.take_all(rooms, senders_wait));
    rooms = static_cast<std::uint32_t>(batch);  // Of those just taken, with the next ones.
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(message_queue_push_take)->Arg(1)->Arg(64);

void mpsc_send_receive(benchmark::State& state) {
  auto ends = mpsc_unbounded<std::uint64_t>();
  for (auto _ : state) {
    benchmark::DoNotOptimize(ends.tx.try_send(1));
    benchmark::DoNotOptimize(ends.rx.try_recv());
  }
}
BENCHMARK(mpsc_send_receive);

}  // namespace

}  // namespace troupe::bench
