#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>

#include <fmt/format.h>

#include <troupe/net/signals.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/when_all.hpp>

#include "works.hpp"

namespace troupe::bench {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t window = 256, senders = 4;
constexpr std::uint64_t begun_enough = 2'000;  // Answers after which the load is there.

void signal_peer(const settings& given, int number) {
  if (given.peer <= 0) throw std::runtime_error{"needs --peer PID"};
  if (::kill(given.peer, number) != 0) {
    throw std::system_error{errno, std::generic_category(), "signal to the other process"};
  }
}

/// Requests without a deadline, so that nothing but the lost link ends them.
struct endless_requests {
  pal::atomic<std::uint64_t> answered{0};
  pal::atomic<std::uint64_t> not_node_down{0};
  event is_under_way;

  task<> ask(ref<station> to) {
    for (;;) {
      auto got = co_await to.ask(question{0}, no_deadline).as_result();
      if (!got) {
        if (got.error() != ask_errc::node_down) not_node_down.fetch_add(1);
        co_return;
      }
      if (answered.fetch_add(1) + 1 == begun_enough) is_under_way.set();
    }
  }
};

// Returns: the seconds from the signal until the last of all requests has failed.
task<double> seconds_until_failed(link_in_use& link, int number) {
  endless_requests all;
  double seconds = 0;
  auto run = [&]() -> task<> {
    std::vector<task<>> each;
    for (std::size_t i = 0; i < window; ++i) each.push_back(all.ask(link.to));
    co_await when_all(std::move(each));
  };
  auto running = spawn(run);
  co_await all.is_under_way.wait();
  auto begin = real_clock::now();
  signal_peer(link.given, number);
  co_await std::move(running);
  seconds = seconds_since(begin);
  if (all.not_node_down.load() != 0) throw std::runtime_error{"a request failed by another error"};
  co_return seconds;
}

std::size_t resident_bytes() {
  std::ifstream file{"/proc/self/statm"};
  std::size_t total = 0, resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

task<figures> kill_peer(link_in_use& link) {
  double seconds = co_await seconds_until_failed(link, SIGKILL);
  figures found;
  found.push_back({"kill", seconds * 1e3, "ms"});
  co_return found;
}

task<figures> silence_peer(link_in_use& link) {
  double seconds = co_await seconds_until_failed(link, SIGSTOP);
  signal_peer(link.given, SIGCONT);
  figures found;
  found.push_back({"silence", seconds, "s"});
  co_return found;
}

namespace {

constexpr std::size_t page_bytes = 1024;

struct pages_on_their_way {
  pal::atomic<bool> is_over{false};
  pal::atomic<std::uint64_t> sent{0};

  task<> send(ref<station> to) {
    while (!is_over.load()) {
      page next{std::string(page_bytes, 'x')};
      co_await to.send(troupe::take(next), no_deadline);
      sent.fetch_add(1);
    }
  }
  task<> send_all(ref<station> to) {
    std::vector<task<>> all;
    for (std::size_t i = 0; i < senders; ++i) all.push_back(send(to));
    co_await when_all(std::move(all));
  }
};

}  // namespace

// How much memory grows while the other process is stopped, beside what may wait here: a window for
// the link, and a mailbox of the actor that stands for the other one. A message in a mailbox is its
// cell, and its text in a block of its own.
task<figures> memory(link_in_use& link) {
  constexpr std::size_t mailbox = 1024, cell_bytes = 128;
  const double bound = static_cast<double>(node_options{}.window_bytes +
                                           (mailbox + senders) * (page_bytes + cell_bytes));
  // What the first requests touch is not what waits.
  for (std::uint64_t i = 0; i < begun_enough; ++i) (void)co_await link.to.ask(question{0});
  std::uint64_t counted_before = co_await link.to.ask(counted{});
  pages_on_their_way pages;
  const std::size_t before_load = resident_bytes();
  auto sending = spawn([&] { return pages.send_all(link.to); });
  co_await sleep_for(1s);
  const std::size_t before_stop = resident_bytes();
  signal_peer(link.given, SIGSTOP);
  auto begin = real_clock::now();
  std::size_t most = before_stop;
  while (seconds_since(begin) < static_cast<double>(link.given.seconds)) {
    co_await sleep_for(50ms);
    most = std::max(most, resident_bytes());
    if (!link.there.is_up()) throw std::runtime_error{"the link was lost"};
  }
  std::uint64_t sent_then = pages.sent.load();
  co_await sleep_for(200ms);
  if (pages.sent.load() != sent_then) throw std::runtime_error{"a sender did not wait"};
  signal_peer(link.given, SIGCONT);
  pages.is_over.store(true);
  co_await std::move(sending);
  std::uint64_t count = co_await link.to.ask(counted{});
  if (count - counted_before != pages.sent.load()) throw std::runtime_error{"pages were lost"};
  auto grown = static_cast<double>(most - before_stop);
  figures found;
  found.push_back({"memory", grown / bound * 100, "% of bound"});
  found.push_back({"memory_growth", grown, "bytes"});
  found.push_back({"memory_with_load", static_cast<double>(most - before_load), "bytes"});
  co_return found;
}

namespace {

/// Requests that each have a number of their own, and what has become of each.
class numbered_requests {
public:
  explicit numbered_requests(run_book runs) : ends_(run_book::size_bytes), runs_{runs} {}

  task<> ask(ref<station> to) {
    while (!is_over.load()) {
      std::uint64_t number = begun_.fetch_add(1);
      if (number >= ends_.size()) throw std::runtime_error{"more requests than numbers"};
      auto got = co_await to.ask(question{number}, no_deadline).as_result();
      end(number, got);
      if (!got) co_await sleep_for(1ms);  // Until it is linked again there are only failures.
    }
  }

  figures check() const {
    std::uint64_t begun = begun_.load(), answered = 0, failed = 0, unrun = 0, broken = 0;
    for (std::uint64_t i = 0; i < begun; ++i) {
      unsigned runs = runs_.is_there() ? runs_.runs_of(i) : 0;
      answered += ends_[i] == was_answered;
      failed += ends_[i] == may_have_been_run;
      unrun += ends_[i] == was_not_run;
      bool is_right =
          ends_[i] == was_answered || ends_[i] == may_have_been_run || ends_[i] == was_not_run;
      if (runs_.is_there()) {
        is_right &= runs <= 1 && (ends_[i] != was_answered || runs == 1) &&
                    (ends_[i] != was_not_run || runs == 0);
      }
      broken += !is_right;
    }
    auto number = [](std::uint64_t of) { return static_cast<double>(of); };
    figures found;
    found.push_back({"load", number(broken), "violations"});
    found.push_back({"load_begun", number(begun), "requests"});
    found.push_back({"load_answered", number(answered), "requests"});
    found.push_back({"load_failed", number(failed), "requests"});
    found.push_back({"load_not_run", number(unrun), "requests"});
    return found;
  }

  pal::atomic<bool> is_over{false};
  event is_under_way;

private:
  static constexpr unsigned char was_answered = 1, may_have_been_run = 2, was_not_run = 3,
                                 was_wrong = 4, ended_twice = 5;

  void end(std::uint64_t number, const result<answer>& got) {
    unsigned char how = was_answered;
    if (!got) {
      how = may_have_run(got.error()) ? may_have_been_run : was_not_run;
    } else if (got->number != number + 1) {
      how = was_wrong;
    }
    ends_[number] = ends_[number] == 0 ? how : ended_twice;
    if (how == was_answered && answered_.fetch_add(1) + 1 == begun_enough) is_under_way.set();
  }

  pal::atomic<std::uint64_t> begun_{0};
  pal::atomic<std::uint64_t> answered_{0};
  std::vector<unsigned char> ends_;
  run_book runs_;
};

}  // namespace

task<figures> load(link_in_use& link) {
  net::signals ends{SIGTERM, SIGINT};
  numbered_requests all{run_book{link.given.book}};
  auto running = spawn([&]() -> task<> {
    std::vector<task<>> each;
    for (std::size_t i = 0; i < window; ++i) each.push_back(all.ask(link.to));
    co_await when_all(std::move(each));
  });
  co_await all.is_under_way.wait();
  fmt::print("ready\n");
  std::fflush(stdout);
  co_await ends.next();
  all.is_over.store(true);
  co_await link.here.shut_down();  // What waits now fails.
  co_await std::move(running);
  co_return all.check();
}

}  // namespace troupe::bench
