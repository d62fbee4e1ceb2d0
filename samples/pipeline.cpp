// A pipeline whose last stage is slow: the source waits for it, and memory stays as it is.

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include <fmt/core.h>

#include <troupe/actor/actor.hpp>
#include <troupe/actor/undelivered.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/runtime/run.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/spawn.hpp>

#include "options.hpp"

namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t capacity = 64;  // Of each stage's mailbox.

struct wishes {
  int seconds;
  int stages;
  troupe::duration slow;
};

struct figures {
  troupe::pal::atomic<std::uint64_t> made{0};
  std::uint64_t peak_in_flight = 0;  // Looked at by the source.
  troupe::pal::atomic<std::uint64_t> done{0};
  troupe::pal::atomic<std::uint64_t> wrong{0};
  troupe::event over;

  // A message may be done before the source has counted it.
  [[nodiscard]] std::uint64_t in_flight() const noexcept {
    std::uint64_t ended = done.load(), begun = made.load();
    return begun > ended ? begun - ended : 0;
  }
};

// Messages that were accepted and not run.
troupe::pal::atomic<std::uint64_t> dropped{0};

struct line {
  std::string text;
};
struct record {
  std::uint64_t number;
  std::uint64_t check;
};

using records = troupe::protocol<record>;

std::uint64_t check_of(std::uint64_t number) noexcept { return number * 2654435761U; }

// The slow one. When the stage before it has ended nobody can address it any more: it does what is
// left in its mailbox, and ends.
class sink final : public troupe::actor {
public:
  sink(std::shared_ptr<figures> of, troupe::duration slow, int enriched)
      : of_{std::move(of)}, slow_{slow}, enriched_{enriched} {}

  troupe::task<> on(record m) {
    co_await troupe::sleep_for(slow_);
    std::uint64_t wanted = check_of(m.number) + static_cast<std::uint64_t>(enriched_);
    if (m.check != wanted) of_->wrong.fetch_add(1);
    of_->done.fetch_add(1);
  }
  void on_stop() { of_->over.set(); }

private:
  std::shared_ptr<figures> of_;
  troupe::duration slow_;
  int enriched_;
};

// Its send waits for room in the next stage. Meanwhile it takes no mail, its own mailbox fills, and
// the stage before it waits too: in the end the source.
class enrich final : public troupe::actor {
public:
  explicit enrich(troupe::ref<records> next) : next_{std::move(next)} {}

  troupe::task<> on(record m) {
    ++m.check;
    co_await next_.send(m);
  }

private:
  troupe::ref<records> next_;
};

class parse final : public troupe::actor {
public:
  explicit parse(troupe::ref<records> next) : next_{std::move(next)} {}

  troupe::task<> on(line m) {
    std::uint64_t number = std::stoull(m.text);
    record made{number, check_of(number)};
    co_await next_.send(made);
  }

private:
  troupe::ref<records> next_;
};

double resident_mib() {
  std::uint64_t all = 0, resident = 0;
  std::ifstream{"/proc/self/statm"} >> all >> resident;
  return static_cast<double>(resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE))) / 1e6;
}

void print_line(const figures& now) {
  fmt::print("made={} done={} in_flight={} rss={:.2f}MB\n", now.made.load(), now.done.load(),
             now.in_flight(), resident_mib());
}

// The source: makes as fast as the first stage has room.
troupe::task<> produce(troupe::ref<parse> first, std::shared_ptr<figures> of,
                       troupe::time_point end) {
  while (troupe::now() < end) {
    line m{std::to_string(of->made.load())};
    co_await first.send(troupe::take(m));
    of->made.fetch_add(1);
    of->peak_in_flight = std::max(of->peak_in_flight, of->in_flight());
  }
}

troupe::task<> report(std::shared_ptr<figures> of, troupe::time_point begin, int seconds) {
  for (int i = 1; i <= seconds; ++i) {
    co_await troupe::sleep_until(begin + i * 1s);
    print_line(*of);
  }
}

// Returns: the first stage; each holds the next one, and nobody else does.
troupe::ref<parse> build(const std::shared_ptr<figures>& of, wishes with) {
  troupe::actor_options narrow;
  narrow.capacity = capacity;
  int enriching = with.stages - 2;
  troupe::ref<records> next = troupe::spawn<sink>(narrow, of, with.slow, enriching);
  for (int i = 0; i < enriching; ++i) next = troupe::spawn<enrich>(narrow, next);
  return troupe::spawn<parse>(narrow, next);
}

troupe::task<int> main_task(wishes with) {
  auto of = std::make_shared<figures>();
  troupe::time_point begin = troupe::now();
  auto reporting = troupe::spawn(report, of, begin, with.seconds);
  co_await produce(build(of, with), of, begin + with.seconds * 1s);
  co_await reporting;
  co_await of->over.wait();

  // Each stage holds one beside its mailbox, whose room comes back in small batches.
  std::uint64_t bound = static_cast<std::uint64_t>(with.stages) * (capacity + 1);
  bool is_balanced =
      of->made.load() == of->done.load() && dropped.load() == 0 && of->wrong.load() == 0;
  bool is_ok = is_balanced && of->peak_in_flight <= bound;
  fmt::print("pipeline: made={} done={} dropped={} peak_in_flight={} {}\n", of->made.load(),
             of->done.load(), dropped.load(), of->peak_in_flight, is_ok ? "ok" : "WRONG");
  co_return is_ok ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  samples::options options{argc, argv};
  wishes with{};
  with.seconds = options.number("--seconds", 5, 1, 86'400);
  with.stages = options.number("--stages", 3, 2, 100);  // Parse, enrich, ..., sink.
  with.slow = options.time("--slow", 1ms, 1h);
  options.end();
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // Each line is seen at once, also through a pipe.
  troupe::set_undelivered_sink([](const troupe::undelivered&) { dropped.fetch_add(1); });
  troupe::runtime_config config;
  config.deadline = 24h;  // A send may wait for room as long as the sink likes.
  return troupe::run(config, main_task, with);
}
