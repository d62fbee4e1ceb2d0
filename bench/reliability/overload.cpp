// Bounded mailboxes that are offered many times what their actors can do.

#include <time.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include <troupe/actor/actor.hpp>
#include <troupe/actor/undelivered.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/pal/random.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/task/yield.hpp>

#include "counts.hpp"

namespace reliability {

using namespace std::chrono_literals;
using namespace troupe;

namespace {

constexpr std::size_t workers = 2;
constexpr std::size_t policies = 3;
constexpr std::array policy_of{overflow::wait, overflow::reject, overflow::drop_newest};
constexpr std::uint16_t capacity = 4096;
constexpr std::size_t floods_each = 2;
constexpr duration work_for_each = 5us;

// A type for each policy, so that what is lost tells whose it was.
template <std::size_t Policy>
struct load {
  std::array<std::byte, 960> content{};
};
constexpr std::size_t bytes_of_message = 1024;  // In its mailbox; a size that the allocator has.
static_assert(sizeof(detail::sent_of<load<0>>) <= bytes_of_message);

// What became of the messages for one policy.
struct account {
  pal::atomic<std::uint64_t> offered{0}, accepted{0}, handed_back{0}, run{0}, undelivered{0};
};
std::array<account, policies> accounts;

void count_undelivered(const undelivered& lost) {
  constexpr std::array<std::string_view, policies> names{"load<0", "load<1", "load<2"};
  for (std::size_t i = 0; i < policies; ++i) {
    if (lost.message.find(names[i]) != std::string_view::npos) ++accounts[i].undelivered;
  }
}

void work_a_little() {
  time_point until = pal::real_clock().now() + work_for_each;
  while (pal::real_clock().now() < until) {
  }
}

template <std::size_t Policy>
class receiver : public actor {
public:
  void on(const load<Policy>&) {
    work_a_little();
    accounts[Policy].run.fetch_add(1, std::memory_order_relaxed);
  }
};

struct flood_at {
  double per_second;
  time_point until;
  bool is_patient = false;  // Waits for room, whatever the policy would be.
};

// Offers messages in batches of a millisecond; where it has to wait it does not make up for that.
template <std::size_t Policy>
class flooder : public actor {
public:
  explicit flooder(ref<receiver<Policy>> to) : to_{std::move(to)} {}

  task<bool> on(flood_at m) {
    double due = 0;
    for (time_point last = now(); last < m.until && !to_.has_ended();) {
      co_await sleep_for(1ms);
      time_point present = now();
      due += m.per_second * std::min(std::chrono::duration<double>(present - last).count(), 0.1);
      last = present;
      for (; due >= 1 && !to_.has_ended(); --due) co_await offer(m.is_patient);
    }
    co_return true;
  }

private:
  task<> offer(bool is_patient) {
    account& mine = accounts[Policy];
    mine.offered.fetch_add(1, std::memory_order_relaxed);
    load<Policy> message;
    result<void> outcome;
    if (policy_of[Policy] == overflow::reject && !is_patient) {
      outcome = to_.try_send(std::move(message));
      if (++tries_ % 64 == 0) co_await yield();  // That never waits.
    } else {
      outcome = co_await to_.send(std::move(message)).as_result();
    }
    (outcome.has_error() ? mine.handed_back : mine.accepted).fetch_add(1);
  }

  ref<receiver<Policy>> to_;
  std::uint64_t tries_ = 0;
};

struct are_you_there {};
class control : public actor {
public:
  bool on(are_you_there) { return true; }
};

double p99(std::vector<double>& of) {
  if (of.empty()) return 0;
  auto at = of.begin() + static_cast<std::ptrdiff_t>(99 * (of.size() - 1) / 100);
  std::nth_element(of.begin(), at, of.end());
  return *at;
}

double milliseconds_since(time_point begin) {
  return std::chrono::duration<double, std::milli>(pal::real_clock().now() - begin).count();
}

constexpr duration look_every = 2ms;

// The time that this process has had, by its workers: where others want the same cores less passes
// so than by the clock.
double own_milliseconds() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return (static_cast<double>(used.tv_sec) * 1e3 + static_cast<double>(used.tv_nsec) / 1e6) /
         workers;
}

// What is seen meanwhile.
struct sights {
  std::vector<double> round_trips_ms, round_trips_own_ms;
  std::size_t peak_bytes = 0;
};

// How late the machine itself wakes a thread: what is beside that is the framework's.
class bystander {
public:
  ~bystander() { stop(); }
  double stop() {
    if (!thread_.joinable()) return 0;
    is_over_.store(true);
    thread_.join();
    return p99(lateness_ms_);
  }

private:
  void look_on() {
    while (!is_over_.load()) {
      time_point due = pal::real_clock().now() + look_every;
      std::this_thread::sleep_until(due);
      lateness_ms_.push_back(milliseconds_since(due));
    }
  }

  std::vector<double> lateness_ms_;
  pal::atomic<bool> is_over_{false};
  std::thread thread_{[this] { look_on(); }};
};

task<> look_on(time_point until, sights& into) {
  auto c = spawn<control>();
  while (now() < until) {
    time_point due = now() + look_every;  // What it waits for its own turn counts, too.
    double own = own_milliseconds();
    co_await sleep_until(due);
    (void)co_await c.ask(are_you_there{});
    into.round_trips_ms.push_back(milliseconds_since(due));
    into.round_trips_own_ms.push_back(own_milliseconds() - own);
    into.peak_bytes = std::max(into.peak_bytes, resident_bytes());
  }
}

actor_options options_for(overflow when_full) {
  actor_options options;
  options.capacity = capacity;
  options.when_full = when_full;
  return options;
}

template <std::size_t Policy>
task<> flood_one(ref<receiver<Policy>> to, flood_at order) {
  auto one = spawn<flooder<Policy>>(std::move(to));
  (void)co_await one.ask(order, no_deadline);
}

// The receivers end while they are flooded, with full mailboxes.
template <std::size_t... Policy>
task<> flood_all(std::index_sequence<Policy...>, double per_second, duration length,
                 bool is_patient = false) {
  auto policy = [is_patient](overflow own) { return is_patient ? overflow::wait : own; };
  auto receivers = std::tuple{spawn<receiver<Policy>>(options_for(policy(policy_of[Policy])))...};
  flood_at order{per_second / floods_each, now() + length, is_patient};
  std::vector<join_handle<void>> floods;
  for (std::size_t i = 0; i < floods_each; ++i) {
    (floods.push_back(spawn(flood_one<Policy>, std::get<Policy>(receivers), order)), ...);
  }
  co_await sleep_for(length - length / 50);
  (std::get<Policy>(receivers).stop(), ...);
  for (auto& each : floods) co_await each;
  ((void)co_await std::get<Policy>(receivers).ended(), ...);
}

constexpr auto all_policies = std::make_index_sequence<policies>{};

std::uint64_t sum_of(pal::atomic<std::uint64_t> account::* entry) {
  std::uint64_t sum = 0;
  for (account& each : accounts) sum += (each.*entry).load();
  return sum;
}

// Returns: how many messages a second each of the receivers does when all have enough.
double measured_capacity(runtime& rt) {
  constexpr duration length = 500ms;
  std::uint64_t before = sum_of(&account::run);
  rt.block_on([&] { return flood_all(all_policies, 1e6, length, true); });
  return static_cast<double>(sum_of(&account::run) - before) /
         std::chrono::duration<double>(length).count() / policies;
}

// What all mailboxes hold when they are full, and what is on its way; for each worker, since the
// allocator keeps for each thread what it has had, and the senders move from one to the other.
std::size_t bytes_of_full_mailboxes() {
  return workers * policies * (capacity + floods_each) * bytes_of_message;
}

std::uint64_t messages_unaccounted_for() {
  std::uint64_t sum = 0;
  auto difference = [](std::uint64_t a, std::uint64_t b) { return a > b ? a - b : b - a; };
  for (account& each : accounts) {
    sum += difference(each.offered.load(), each.accepted.load() + each.handed_back.load());
    sum += difference(each.accepted.load(), each.run.load() + each.undelivered.load());
  }
  return sum;
}

}  // namespace

std::string flood(const settings& how) {
  set_undelivered_sink([](const undelivered& lost) { count_undelivered(lost); });
  runtime_config config;
  config.workers = workers;
  config.stall_threshold = 0s;
  config.deadline = 60s;
  runtime rt{config};
  rt.block_on([] { return flood_all(all_policies, 100, 200ms); });  // All code has run once.
  std::size_t bound = resident_bytes() + bytes_of_full_mailboxes();
  double possible = measured_capacity(rt);
  sights seen;
  bystander beside;
  for (double factor : {2.0, 10.0}) {
    rt.block_on([&]() -> task<> {
      auto length = std::chrono::seconds{how.seconds};
      auto looking = spawn([&]() { return look_on(now() + length, seen); });
      co_await flood_all(all_policies, factor * possible, length);
      co_await looking;
    });
  }
  return fmt::format(
      R"({{"offered": {}, "accepted": {}, "run": {}, "handed_back": {}, "undelivered": {}, )"
      R"("unaccounted": {}, "capacity_per_s": {:.0f}, "bound_mb": {:.1f}, "peak_mb": {:.1f}, )"
      R"("peak_over_bound_percent": {:.2f}, "control_p99_ms": {:.3f}, )"
      R"("control_p99_own_ms": {:.3f}, "machine_p99_ms": {:.3f}}})",
      sum_of(&account::offered), sum_of(&account::accepted), sum_of(&account::run),
      sum_of(&account::handed_back), sum_of(&account::undelivered), messages_unaccounted_for(),
      possible, static_cast<double>(bound) / 1e6, static_cast<double>(seen.peak_bytes) / 1e6,
      100 * (static_cast<double>(seen.peak_bytes) / static_cast<double>(bound) - 1),
      p99(seen.round_trips_ms), p99(seen.round_trips_own_ms), beside.stop());
}

}  // namespace reliability
