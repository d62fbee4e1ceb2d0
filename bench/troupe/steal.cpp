#include <algorithm>
#include <chrono>
#include <vector>

#include <troupe/pal/atomic.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/yield.hpp>

#include "works.hpp"

namespace troupe::bench {

namespace {

using namespace std::chrono_literals;

void compute_for(duration length) {
  auto end = real_clock::now() + length;
  while (real_clock::now() < end) {
  }
}

// How long a task that was woken by a turn that goes on for 3 ms has waited, in microseconds, in
// each round. The turns before that one take as long as `turn` says.
task<std::vector<double>> waits_for_another_worker(std::size_t rounds, duration turn) {
  std::vector<double> waits_us;
  for (std::size_t round = 0; round < rounds; ++round) {
    event wake;
    pal::atomic<bool> waits{false};
    pal::atomic<real_clock::rep> woken_at{0};
    auto other = spawn([&]() -> task<> {
      waits.store(true);
      co_await wake.wait();
      woken_at.store(real_clock::now().time_since_epoch().count());
    });
    while (!waits.load()) co_await yield();
    for (int i = 0; i < 200; ++i) {
      compute_for(turn);
      co_await yield();
    }
    auto begin = real_clock::now();
    wake.set();
    compute_for(3ms);
    co_await other;
    auto waited = real_clock::time_point{real_clock::duration{woken_at.load()}} - begin;
    waits_us.push_back(std::chrono::duration<double, std::micro>{waited}.count());
  }
  std::sort(waits_us.begin(), waits_us.end());
  co_return waits_us;
}

// The 99th and the 50th of a hundred, behind short turns and behind long ones.
std::vector<double> steal(const settings& given) {
  std::size_t rounds = size_or(given, 500);
  return on_runtime(given, [rounds]() -> task<std::vector<double>> {
    auto fine = co_await waits_for_another_worker(rounds, 0us);
    auto coarse = co_await waits_for_another_worker(rounds, 40us);
    std::vector<double> figures;
    for (const auto* each : {&fine, &coarse}) {
      figures.push_back((*each)[each->size() * 99 / 100]);
      figures.push_back((*each)[each->size() / 2]);
    }
    co_return figures;
  });
}

}  // namespace

std::map<std::string, work> steal_works() {
  std::vector<figure> figures{
      {"steal", "us"}, {"steal_p50", "us"}, {"steal_coarse", "us"}, {"steal_coarse_p50", "us"}};
  return {{"steal", {figures, &steal}}};
}

}  // namespace troupe::bench
