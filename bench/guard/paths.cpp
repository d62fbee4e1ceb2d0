// The hot paths whose cost the guard holds: `troupe_guard PATH COUNT` goes COUNT times through one.
// One worker, on a clock that stands still: every run does the same, whatever else the machine
// does. Without arguments it prints the names, a line each; `--compiler` prints what built it.

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <exception>
#include <map>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

#include <troupe/actor/actor.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/mpsc.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/yield.hpp>

namespace troupe::bench {

namespace {

using namespace std::chrono_literals;

void expect(bool is_so, const char* otherwise) {
  if (!is_so) throw std::logic_error{otherwise};
}

constexpr std::uint64_t sum_below(std::uint64_t count) { return count * (count - 1) / 2; }

// A hundred tasks at a time, so that the queue does not overflow, and one switch to them.
task<> spawn_tasks(std::uint64_t count) {
  std::uint64_t ended = 0;
  for (std::uint64_t i = 1; i <= count; ++i) {
    spawn([&ended]() -> task<> {
      ++ended;
      co_return;
    });
    if (i % 100 == 0 || i == count) co_await yield();
  }
  expect(ended == count, "tasks are left");
}

struct question {
  std::uint64_t number;
};

class server : public actor {
public:
  std::uint64_t on(question q) { return q.number + 1; }
};

struct begin {};

class client : public actor {
public:
  client(ref<server> to, std::uint64_t count) : to_{std::move(to)}, count_{count} {}

  task<> on(begin) {
    for (std::uint64_t i = 0; i < count_; ++i) {
      std::uint64_t answer = co_await to_.ask(question{i});
      expect(answer == i + 1, "a wrong answer");
    }
  }

private:
  ref<server> to_;
  std::uint64_t count_;
};

task<> ask_actor(std::uint64_t count) {
  auto asking = spawn<client>(spawn<server>(), count);
  co_await asking.ask(begin{}, within(1h));
}

struct number {
  std::uint64_t value;
};
struct total {};

class sink : public actor {
public:
  void on(number n) { sum_ += n.value; }
  std::uint64_t on(total) { return sum_; }

private:
  std::uint64_t sum_ = 0;
};

task<> send_to_actor(std::uint64_t count) {
  auto to = spawn<sink>();
  for (std::uint64_t i = 0; i < count; ++i) co_await to.send(number{i});
  std::uint64_t sum = co_await to.ask(total{});
  expect(sum == sum_below(count), "messages were lost");
}

task<> send_numbers(sender<std::uint64_t> out, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) co_await out.send(std::uint64_t{i});
}

task<> send_through_channel(std::uint64_t count) {
  auto [tx, rx] = mpsc<std::uint64_t>(1024);
  auto sending = spawn(send_numbers, std::move(tx), count);
  std::uint64_t sum = 0;
  while (auto value = co_await rx.recv()) sum += *value;
  co_await sending;
  expect(sum == sum_below(count), "numbers were lost");
}

task<> yield_often(std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) co_await yield();
}

// Two tasks take turns: each yield is one switch.
task<> switch_tasks(std::uint64_t count) {
  auto other = spawn(yield_often, count / 2);
  co_await yield_often(count - count / 2);
  co_await other;
}

task<> set_often(event* happened, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    happened->set();
    co_await yield();
  }
}

// Each wait suspends once, since the other task sets the event on its own turn only.
task<> time_out_never(std::uint64_t count) {
  event happened;
  auto setting = spawn(set_often, &happened, count);
  for (std::uint64_t i = 0; i < count; ++i) {
    expect(!happened.is_set(), "the wait would not suspend");
    co_await timeout(10s, happened.wait());
    happened.reset();
  }
  co_await setting;
}

using path = task<> (*)(std::uint64_t count);

const std::map<std::string_view, path> paths = {
    {"spawn", &spawn_tasks},         {"ask", &ask_actor},      {"send", &send_to_actor},
    {"mpsc", &send_through_channel}, {"yield", &switch_tasks}, {"timeout", &time_out_never},
};

task<> walk_and_tell(path body, std::uint64_t count, bool* has_ended, std::exception_ptr* thrown) {
  try {
    co_await body(count);
  } catch (const std::exception&) {
    *thrown = std::current_exception();
  }
  *has_ended = true;
}

// On this thread alone: how long threads wait for one another is not for counting.
void walk(path body, std::uint64_t count) {
  // Where there never was a second thread, the C library's mutexes do without locked operations.
  std::thread{[] {}}.join();
  pal::virtual_clock clock;
  runtime_config config;
  config.workers = 1;
  config.caller_driven = true;
  config.clock = &clock;
  config.network = false;
  runtime one{config};
  bool has_ended = false;
  std::exception_ptr thrown;
  one.spawn(walk_and_tell, body, count, &has_ended, &thrown).detach();
  while (!has_ended) (void)one.poll(1'000'000);
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace

}  // namespace troupe::bench

int main(int argc, char** argv) {
  if (argc == 1) {
    for (const auto& [name, body] : troupe::bench::paths) fmt::print("{}\n", name);
    return 0;
  }
  if (argc == 2 && argv[1] == std::string_view{"--compiler"}) {
    fmt::print("{}\n", __VERSION__);
    return 0;
  }
  auto found = troupe::bench::paths.find(argv[1]);
  std::uint64_t count = 0;
  if (argc == 3) {
    std::string_view text = argv[2];
    (void)std::from_chars(text.data(), text.data() + text.size(), count);
  }
  if (found == troupe::bench::paths.end() || count == 0) {
    fmt::print(stderr, "usage: troupe_guard PATH COUNT\n");
    return 2;
  }
  troupe::bench::walk(found->second, count);
}
