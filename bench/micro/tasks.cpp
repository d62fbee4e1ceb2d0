// One switch, one spawn, one request, on a runtime of one worker.

#include <benchmark/benchmark.h>

#include <troupe/actor/actor.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sync/oneshot.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/yield.hpp>

namespace troupe::bench {

namespace {

template <class Work>
void on_one_worker(Work work) {
  runtime_config config;
  config.workers = 1;
  runtime rt{config};
  rt.block_on(work);
}

task<> nothing() { co_return; }

void await_child(benchmark::State& state) {
  on_one_worker([&state]() -> task<> {
    for (auto _ : state) co_await nothing();
  });
}
BENCHMARK(await_child)->UseRealTime();

void yield_once(benchmark::State& state) {
  on_one_worker([&state]() -> task<> {
    for (auto _ : state) co_await yield();
  });
}
BENCHMARK(yield_once)->UseRealTime();

void spawn_and_join(benchmark::State& state) {
  on_one_worker([&state]() -> task<> {
    for (auto _ : state) {
      auto started = spawn(nothing);
      co_await started;
    }
  });
}
BENCHMARK(spawn_and_join)->UseRealTime();

// Sent before it is awaited, in one task.
void oneshot_ready(benchmark::State& state) {
  on_one_worker([&state]() -> task<> {
    for (auto _ : state) {
      auto ends = oneshot<int>();
      ends.tx.send(1);
      benchmark::DoNotOptimize(co_await ends.rx);
    }
  });
}
BENCHMARK(oneshot_ready)->UseRealTime();

task<> answer(oneshot_sender<int> to) {
  to.send(1);
  co_return;
}

// From one task to another that waits for it.
void oneshot_round_trip(benchmark::State& state) {
  on_one_worker([&state]() -> task<> {
    for (auto _ : state) {
      auto ends = oneshot<int>();
      (void)spawn(answer, std::move(ends.tx));
      benchmark::DoNotOptimize(co_await ends.rx);
    }
  });
}
BENCHMARK(oneshot_round_trip)->UseRealTime();

struct question {};

class server : public actor {
public:
  int on(question) { return ++asked_; }

private:
  int asked_ = 0;
};

void ask_an_actor(benchmark::State& state) {
  on_one_worker([&state]() -> task<> {
    auto one = spawn<server>();
    for (auto _ : state) benchmark::DoNotOptimize(co_await one.ask(question{}));
  });
}
BENCHMARK(ask_an_actor)->UseRealTime();

}  // namespace

}  // namespace troupe::bench
