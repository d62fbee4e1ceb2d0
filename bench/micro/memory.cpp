// A cell of the slab, and a block of allocate(), taken and given back.

#include <vector>

#include <benchmark/benchmark.h>

#include <troupe/base/memory.hpp>
#include <troupe/task/slab.hpp>

namespace troupe::bench {

namespace {

// As large as a task's cell.
struct alignas(cache_line_bytes) cell final {
  char contents[3 * cache_line_bytes];
};

void slab_take_give_back(benchmark::State& state) {
  auto& cells = detail::slab<cell>::instance();
  for (auto _ : state) {
    cell& taken = cells.take();
    benchmark::DoNotOptimize(taken);
    cells.give_back(taken);
  }
}
BENCHMARK(slab_take_give_back);

// More than a thread keeps at hand.
void slab_take_give_back_in_bursts(benchmark::State& state) {
  auto& cells = detail::slab<cell>::instance();
  std::vector<cell*> taken(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    for (auto& each : taken) each = &cells.take();
    for (auto* each : taken) cells.give_back(*each);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(slab_take_give_back_in_bursts)->Arg(1'000)->Arg(100'000);

void allocate_deallocate(benchmark::State& state) {
  auto size_bytes = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    void* block = allocate(size_bytes);
    benchmark::DoNotOptimize(block);
    deallocate(block, size_bytes);
  }
}
BENCHMARK(allocate_deallocate)->Arg(64)->Arg(256)->Arg(1'024);

}  // namespace

}  // namespace troupe::bench
