// Tasks and actors that wait for one another in known ways, for a debugger to stop at a known
// point: see troupe_gdb_test.py.

#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include <troupe/actor/actor.hpp>
#include <troupe/runtime/run.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/yield.hpp>

namespace stopped {

class clerk;

struct approve {
  using reply = int;
  std::optional<troupe::ref<clerk>> next;
};
struct note {};

class clerk : public troupe::actor {
public:
  explicit clerk(troupe::event& never) : never_{never} {}

  troupe::task<int> on(approve m) {
    if (m.next) {
      approve passed;
      co_return co_await m.next->ask(troupe::take(passed), troupe::no_deadline);  // legal waits
    }
    co_await never_.wait();  // board waits
    co_return 1;
  }
  void on(note) {}

private:
  troupe::event& never_;
};

// A breakpoint is set here.
[[gnu::noinline]] void here(const troupe::ref<clerk>&, const troupe::weak_ref<clerk>&,
                            const troupe::actor_id&, const troupe::result<int>&,
                            const troupe::result<std::string>&, const troupe::task<int>&);

using handle = std::optional<troupe::join_handle<void>>;

troupe::task<> join_other(handle& other) {
  co_await std::move(*other);  // the circle
}

troupe::task<int> not_started() { co_return 1; }

troupe::task<> ask(troupe::ref<clerk> whom, approve m) {
  co_await whom.ask(troupe::take(m), troupe::no_deadline);  // the outsider waits
}

troupe::task<> main_task(troupe::event& never, handle& ping, handle& pong) {
  auto legal = troupe::spawn<clerk>(troupe::actor_options{.name = "legal"}, std::ref(never));
  auto board = troupe::spawn<clerk>(troupe::actor_options{.name = "board"}, std::ref(never));
  auto idle = troupe::spawn<clerk>(std::ref(never));
  approve first;
  first.next = board;
  auto outsider = troupe::spawn(ask, legal, first);
  ping = troupe::spawn(join_other, std::ref(pong));
  pong = troupe::spawn(join_other, std::ref(ping));
  // One worker: who is spawned has had its turn when this task gets the next but some.
  for (int i = 0; i < 10; ++i) co_await troupe::yield();
  for (int i = 0; i < 2; ++i) (void)board.try_send(note{});

  troupe::weak_ref<clerk> weak{legal};
  troupe::actor_id id = idle.id();
  troupe::result<int> good = 42;
  troupe::result<std::string> bad = make_error_code(troupe::errc::timed_out);
  troupe::task<int> later = not_started();
  here(board, weak, id, good, bad, later);
}

void here([[maybe_unused]] const troupe::ref<clerk>& board,
          [[maybe_unused]] const troupe::weak_ref<clerk>& weak,
          [[maybe_unused]] const troupe::actor_id& id,
          [[maybe_unused]] const troupe::result<int>& good,
          [[maybe_unused]] const troupe::result<std::string>& bad,
          [[maybe_unused]] const troupe::task<int>& later) {
  std::puts("stopped");
}

}  // namespace stopped

int main() {
  troupe::event never;
  stopped::handle ping, pong;
  troupe::runtime_config config;
  config.workers = 1;
  return troupe::run(config, stopped::main_task, std::ref(never), std::ref(ping), std::ref(pong));
}
