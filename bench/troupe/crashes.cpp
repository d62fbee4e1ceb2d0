#include <unistd.h>

#include <fstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <troupe/actor/supervisor.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/task/yield.hpp>

#include "works.hpp"

namespace troupe::bench {

std::size_t resident_bytes() {
  std::size_t mapped_pages = 0, resident_pages = 0;
  std::ifstream{"/proc/self/statm"} >> mapped_pages >> resident_pages;
  return resident_pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

namespace {

// What has crashed, over all incarnations.
struct crash_count {
  pal::atomic<std::size_t> crashes{0};
  pal::atomic<std::size_t> heard{0};
};

enum class point : unsigned char { handler, after_await, constructor };
struct crash_at {
  point where;
};
struct crash_later {};
struct are_you_there {};
struct watch_over {
  ref<class crasher> whom;
};

// Crashes where it is told to; the state is new each time.
class crasher : public actor {
public:
  crasher(crash_count* count, bool* fails_next) : count_{count}, fails_next_{fails_next} {
    if (std::exchange(*fails_next_, false)) crash();
  }
  void on(crash_at m) {
    *fails_next_ = m.where == point::constructor;
    crash();
  }
  task<> on(crash_later) {
    co_await yield();
    crash();
  }
  bool on(are_you_there) { return true; }

private:
  void crash() {
    count_->crashes.fetch_add(1);
    throw std::runtime_error{"crashed on purpose"};
  }

  crash_count* count_;
  bool* fails_next_;
};

class observer : public actor {
public:
  explicit observer(crash_count* count) : count_{count} {}
  void on(const watch_over& m) { self(this).monitor(m.whom); }
  void on(const down& m) {
    if (m.restarts) count_->heard.fetch_add(1);
  }
  bool on(are_you_there) { return true; }

private:
  crash_count* count_;
};

task<> crash_often(ref<supervisor> root, ref<observer> watching, crash_count* count,
                   std::size_t wanted) {
  bool fails_next = false;
  auto victim = spawn_child<crasher>(root, count, &fails_next);
  watch_over news{victim};
  co_await watching.send(take(news));
  (void)co_await watching.ask(are_you_there{});
  while (count->crashes.load() < wanted) {
    auto where = static_cast<point>(count->crashes.load() % 3);
    result<void> outcome;
    if (where == point::after_await) {
      outcome = co_await victim.ask(crash_later{}).as_result();
    } else {
      outcome = co_await victim.ask(crash_at{where}).as_result();
    }
    if (!outcome.has_error()) throw std::logic_error{"a crash was answered"};
    (void)co_await victim.ask(are_you_there{});
  }
}

task<> storm(std::size_t crashes) {
  crash_count count;
  supervision how{.max_restarts = supervision::unlimited, .min_delay = duration::zero()};
  auto root = spawn<supervisor>(how);
  auto watching = spawn<observer>(actor_options{.unbounded = true}, &count);
  std::vector<join_handle<void>> running;
  for (int i = 0; i < 8; ++i) {
    running.push_back(spawn(crash_often, root, watching, &count, crashes));
  }
  for (auto& each : running) co_await each;
  root.stop();
  co_await root.ended();
  (void)co_await watching.ask(are_you_there{});  // After all notices.
  if (count.heard.load() != count.crashes.load()) {
    throw std::logic_error{"notices: " + std::to_string(count.heard.load()) +
                           ", crashes: " + std::to_string(count.crashes.load())};
  }
}

// How much more memory is resident after many crashes than after some, in per cent.
double growth_by_crashes(const settings& given) {
  std::size_t crashes = size_or(given, 1'000'000);
  return on_runtime(given, [crashes]() -> task<double> {
    co_await storm(crashes / 10 + 1);
    auto before = static_cast<double>(resident_bytes());
    co_await storm(crashes);
    auto after = static_cast<double>(resident_bytes());
    co_return 100 * (after / before - 1);
  });
}

}  // namespace

std::map<std::string, work> crash_works() {
  return {{"crash_storm", {"% more memory", &growth_by_crashes}}};
}

}  // namespace troupe::bench
