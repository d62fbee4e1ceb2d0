// The run queue: framework/troupe/sched/detail/run_queue.hpp, docs/protocols/run_queue.md.
//
// An owner that pushes, pops and makes room, and one or two thieves. What a job points to is
// written before its push and by whoever takes it out: without the edge from one to the other it is
// a race.
//
// Not seen: a theft during which the index wraps (R3), and which jobs a theft leaves.

#include <model/model.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

#include <troupe/sched/detail/run_queue.hpp>

namespace troupe::model {

namespace {

// A job that tells whether it is taken once, with what its giver wrote.
struct item : job {
  item() : job{[](job&) noexcept {}} {}

  plain<int> content;
  int taken = 0;
};

template <class Derived, int Threads, std::uint32_t Capacity, std::size_t Jobs>
struct queue_scenario : scenario<Derived, Threads> {
  using queue_type = detail::basic_run_queue<Capacity>;

  queue_type queue;
  std::array<item, Jobs> items;
  std::size_t given = 0;

  bool push_next() {
    item& next = items[given];
    next.content.write(1);
    if (!queue.push(next)) return false;
    ++given;
    return true;
  }

  void take(job* found) {
    auto& mine = static_cast<item&>(*found);
    check(mine.content.read() == 1, "a job is taken with what its giver wrote");
    mine.content.write(2);
    ++mine.taken;
  }

  std::uint32_t take_half() {
    std::array<job*, Capacity / 2> out{};
    std::uint32_t count = queue.take_half(out);
    for (std::uint32_t i = 0; i < count; ++i) take(out[i]);
    return count;
  }

  void after() {
    while (job* left = queue.pop()) take(left);
    for (std::size_t i = 0; i < given; ++i) {
      check(items[i].taken == 1, "each job is taken once");
    }
    check(queue.size() == 0, "nothing is left");
  }
};

// The owner pushes and pops while two thieves come.
struct thefts : queue_scenario<thefts, 3, 4, 4> {
  static constexpr const char* name = "thefts";

  void thread(unsigned index) {
    if (index != 0) return void(take_half());
    for (int i = 0; i < 3; ++i) check(push_next(), "there is room");
    if (job* oldest = queue.pop()) take(oldest);
    check(push_next(), "there is room");
    if (job* oldest = queue.pop()) take(oldest);
  }
};

// The ring comes round several times, under one thief.
struct rounds : queue_scenario<rounds, 2, 2, 6> {
  static constexpr const char* name = "rounds";

  void thread(unsigned index) {
    if (index != 0) {
      for (int i = 0; i < 3; ++i) take_half();
      return;
    }
    while (given < items.size()) {
      if (push_next()) continue;
      if (job* oldest = queue.pop()) take(oldest);
    }
  }
};

// The owner finds its queue full and takes the older half out, as worker::overflow() does.
struct overflow : queue_scenario<overflow, 3, 4, 6> {
  static constexpr const char* name = "overflow";

  void thread(unsigned index) {
    if (index != 0) return void(take_half());
    while (given < items.size()) {
      if (push_next()) continue;
      take_half();
      check(push_next(), "after that there is room: nobody else pushes");
    }
  }
};

// Room that a thief has made: all that the thief did before is over. So it has read the slot that
// is written now.
struct room : queue_scenario<room, 2, 2, 3> {
  static constexpr const char* name = "room";

  plain<int> read_by_thief{0};

  void thread(unsigned index) {
    if (index != 0) {
      read_by_thief.write(1);
      take_half();
      return;
    }
    for (int i = 0; i < 2; ++i) check(push_next(), "there is room");
    if (push_next()) check(read_by_thief.read() == 1, "a thief has made the room");
  }
};

}  // namespace

}  // namespace troupe::model

int main(int argc, char** argv) {
  using namespace troupe::model;
  return run<thefts, rounds, overflow, room>("run_queue", argc, argv);
}
