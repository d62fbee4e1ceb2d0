// Main spawns four tasks and returns at once; run() returns when all have ended (--hold shows it).

#include <chrono>
#include <functional>

#include <fmt/core.h>

#include <troupe/runtime/run.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/spawn.hpp>

#include "../options.hpp"

using namespace std::chrono_literals;

namespace {

// A plain function can be spawned too; what waits has to be a coroutine.
void hello(int number) { fmt::print("Hello from task {}\n", number); }

troupe::task<> main_task() {
  for (int number = 0; number < 4; ++number) troupe::spawn(hello, number);
  co_return;
}

troupe::task<> hello_once_released(troupe::event& released) {
  co_await released.wait();
  hello(3);
}

troupe::task<> release_later(troupe::event& released) {
  co_await troupe::sleep_for(500ms);
  released.set();
}

// The same, with the last task held behind an event that is set only when main is over.
troupe::task<> main_task_that_holds_one(troupe::event& released) {
  for (int number = 0; number < 3; ++number) troupe::spawn(hello, number);
  troupe::spawn(hello_once_released, std::ref(released));
  fmt::print("main returns, task 3 is held\n");
  std::fflush(stdout);
  troupe::spawn(release_later, std::ref(released));
  co_return;
}

}  // namespace

int main(int argc, char** argv) {
  samples::options options{argc, argv};
  bool hold = options.flag("--hold");
  options.end();
  if (!hold) return troupe::run(main_task);

  troupe::event released;  // It lives here, since the tasks that use it outlive the main task.
  int code = troupe::run(main_task_that_holds_one, std::ref(released));
  fmt::print("run has returned\n");
  return code;
}
