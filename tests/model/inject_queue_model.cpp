// The inject queue: framework/troupe/sched/detail/inject_queue.hpp, docs/protocols/inject_queue.md.
//
// Threads that push one job or several, and threads that take some. What a job points to is written
// before its push and by whoever takes it out.
//
// Not seen: the list of blocks, of which a model fills only the first; and what `size_` is ordered
// with, which is between the queue and a worker that goes to sleep: model_parking shows that.

#include <model/model.hpp>

#include <array>
#include <cstddef>
#include <span>

#include <troupe/sched/detail/inject_queue.hpp>

namespace troupe::model {

namespace {

struct item : job {
  item() : job{[](job&) noexcept {}} {}

  plain<int> content;
  int taken = 0;
};

template <class Derived, int Threads>
struct inject_scenario : scenario<Derived, Threads> {
  detail::inject_queue queue;
  std::array<item, 4> items;

  void push(std::size_t first, std::size_t count) {
    std::array<job*, 4> ready{};
    for (std::size_t i = 0; i < count; ++i) {
      items[first + i].content.write(1);
      ready[i] = &items[first + i];
    }
    queue.push_all(std::span{ready}.first(count));
  }

  // Returns: how many.
  std::size_t pop(std::size_t most) {
    std::array<job*, 4> out{};
    std::size_t count = queue.pop(std::span{out}.first(most));
    check(count <= most, "no more come than are asked for");
    for (std::size_t i = 0; i < count; ++i) {
      auto& mine = static_cast<item&>(*out[i]);
      check(mine.content.read() == 1, "a job comes out with what its giver wrote");
      mine.content.write(2);
      ++mine.taken;
    }
    return count;
  }

  void after() {
    std::size_t left = pop(4);
    check(left == 0 || queue.empty(), "what is counted can be had");
    check(queue.size() == 0, "the count is right");
    for (const auto& each : items) check(each.taken == 1, "each job comes out once");
  }
};

// Two push, two take.
struct pushes : inject_scenario<pushes, 4> {
  static constexpr const char* name = "pushes";

  void thread(unsigned index) {
    switch (index) {
      case 0:
        return push(0, 3);
      case 1:
        return queue.push(given(3));
      default:
        pop(2);
        pop(1);
    }
  }
  job& given(std::size_t index) {
    items[index].content.write(1);
    return items[index];
  }
};

// One that is told by another way that a job was pushed, finds it.
struct told : inject_scenario<told, 2> {
  static constexpr const char* name = "told";

  pal::atomic<bool> is_there{false};

  void thread(unsigned index) {
    if (index == 0) {
      push(0, 4);
      is_there.store(true, std::memory_order_release);
      return;
    }
    if (is_there.load(std::memory_order_acquire)) {
      check(queue.size() == 4 && !queue.empty(), "the count is there with the jobs");
      check(pop(2) == 2 && pop(4) == 2, "all of them can be had");
    }
  }
};

}  // namespace

}  // namespace troupe::model

int main(int argc, char** argv) {
  using namespace troupe::model;
  return run<pushes, told>("inject_queue", argc, argv);
}
