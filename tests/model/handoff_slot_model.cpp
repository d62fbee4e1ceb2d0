// The hand-off slot: framework/troupe/sched/detail/handoff_slot.hpp,
// docs/protocols/handoff_slot.md.
//
// An owner that puts and takes, and thieves that look and steal. Each job carries data that its
// giver writes, and whoever gets it out reads and writes.
//
// Not seen: when a thief comes (a worker looks twice before), and what is plain under the slot's
// mutex. The barriers are those of model/barriers.hpp; that the light one keeps the compiler from
// reordering is shown as far as a locked operation in its place can show it.

#include <model/model.hpp>

#include <array>
#include <cstddef>

#include <troupe/sched/detail/handoff_slot.hpp>

namespace troupe::model {

namespace {

struct token : job {
  token() : job{[](job&) noexcept {}} {}

  plain<int> content;
  int given = 0;
  int taken = 0;
};

template <class Derived, int Threads>
struct slot_scenario : scenario<Derived, Threads> {
  detail::handoff_slot slot;
  std::array<token, 2> tokens;

  // The owner's.
  void put(token& fresh) {
    fresh.content.write(1);
    ++fresh.given;
    if (job* before = slot.put(fresh)) out(before);
  }
  bool take() {
    job* found = slot.take();
    if (found != nullptr) out(found);
    return found != nullptr;
  }

  job* look_and_steal() {
    const job* seen = slot.look();
    if (seen == nullptr) return nullptr;
    job* found = slot.steal(seen);
    if (found == nullptr) return nullptr;
    check(found == seen, "a thief takes only what it has seen");
    out(found);
    return found;
  }

  void out(job* found) {
    auto& mine = static_cast<token&>(*found);
    check(mine.content.read() == 1, "a job comes out with what its giver wrote");
    mine.content.write(2);
    ++mine.taken;
  }

  void after() {
    take();
    check(slot.look() == nullptr, "nothing is left");
    put(tokens[0]);
    check(look_and_steal() != nullptr, "what lies there can be stolen, whatever has been");
    take();
    check(slot.look() == nullptr, "what was stolen is gone");
    for (const auto& each : tokens) check(each.given == each.taken, "each put comes out once");
  }
};

// A job is replaced and taken while a thief comes.
struct theft : slot_scenario<theft, 2> {
  static constexpr const char* name = "theft";

  void thread(unsigned index) {
    if (index != 0) return void(look_and_steal());
    put(tokens[0]);
    put(tokens[1]);
    take();
  }
};

// The thief gives the job back, by another way, and it is put once more: at the same address as
// what lies there stale.
struct comes_back : slot_scenario<comes_back, 2> {
  static constexpr const char* name = "comes_back";

  pal::atomic<bool> is_back{false};

  void thread(unsigned index) {
    if (index != 0) {
      if (look_and_steal() != nullptr) is_back.store(true, std::memory_order_release);
      look_and_steal();
      return;
    }
    put(tokens[0]);
    if (is_back.load(std::memory_order_acquire)) put(tokens[0]);
    take();
    put(tokens[1]);
  }
};

// The owner takes the job, runs it, and puts it again, between the two looks of a thief.
struct put_again : slot_scenario<put_again, 2> {
  static constexpr const char* name = "put_again";

  void thread(unsigned index) {
    if (index != 0) return void(look_and_steal());
    put(tokens[0]);
    if (take()) put(tokens[0]);
  }
};

// Two thieves: the second comes before or after the owner has settled with the first.
struct two_thieves : slot_scenario<two_thieves, 3> {
  static constexpr const char* name = "two_thieves";

  void thread(unsigned index) {
    if (index != 0) return void(look_and_steal());
    put(tokens[0]);
    put(tokens[1]);
  }
};

}  // namespace

}  // namespace troupe::model

int main(int argc, char** argv) {
  using namespace troupe::model;
  return run<theft, comes_back, put_again, two_thieves>("handoff_slot", argc, argv);
}
