// The parker: framework/troupe/pal/parker.hpp and .cpp, docs/protocols/idle_set.md.
//
// One thread sleeps, others wake it. What is written before a wake is plain data, read after it.
//
// Not seen: the system's futex itself; the model has its own, which compares and goes to sleep in
// one step, orders nothing, and may end a sleep for no reason.

#include <model/model.hpp>

#include <array>
#include <chrono>
#include <optional>

#include <troupe/pal/parker.cpp>

namespace troupe::model {

namespace {

using namespace std::chrono_literals;

// Two threads wake a third, which sleeps until both have: no wake is lost, and what it tells is
// seen.
struct wakes : scenario<wakes, 3> {
  static constexpr const char* name = "wakes";

  pal::parker sleeper;
  std::array<pal::atomic<bool>, 2> told{};

  void thread(unsigned index) {
    if (index > 0) {
      told[index - 1].store(true, std::memory_order_relaxed);
      sleeper.unpark();
      return;
    }
    do {
      sleeper.park(std::nullopt);
    } while (!told[0].load(std::memory_order_relaxed) || !told[1].load(std::memory_order_relaxed));
  }
};

// A wake is kept for the next sleep, and once: the second sleep needs a second wake.
struct kept : scenario<kept, 2> {
  static constexpr const char* name = "kept";

  pal::parker sleeper, other;
  plain<int> content{0};

  void thread(unsigned index) {
    if (index > 0) {
      content.write(1);
      sleeper.unpark();
      other.park(std::nullopt);
      content.write(2);
      sleeper.unpark();
      return;
    }
    sleeper.park(std::nullopt);
    check(content.read() == 1, "it slept until it was woken");
    other.unpark();
    sleeper.park(std::nullopt);
    check(content.read() == 2, "it slept until it was woken again");
  }
};

// A timed sleep that ends while it is woken: the wake is for that one or for the next.
struct timed : scenario<timed, 2> {
  static constexpr const char* name = "timed";

  pal::parker sleeper;
  pal::atomic<bool> told{false};

  void thread(unsigned index) {
    if (index > 0) {
      told.store(true, std::memory_order_relaxed);
      sleeper.unpark();
      return;
    }
    sleeper.park(clock_of_model.now() + 1us);
    while (!told.load(std::memory_order_relaxed)) sleeper.park(std::nullopt);
  }
};

}  // namespace

}  // namespace troupe::model

int main(int argc, char** argv) {
  using namespace troupe::model;
  return run<wakes, kept, timed>("parker", argc, argv);
}
