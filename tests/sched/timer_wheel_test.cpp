#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/pal/random.hpp>
#include <troupe/sched/detail/timer_wheel.hpp>

#include <threads.hpp>

namespace troupe::detail {

using namespace std::chrono_literals;

namespace {

constexpr duration tick{1 << 17};
constexpr duration day = 24h;

struct wheel_at {
  explicit wheel_at(duration origin = 0s) : start{origin}, wheel{start} {}

  bool insert(timer_node& node, duration after) {
    node.deadline = start + after;
    return wheel.insert(node);
  }
  void advance(duration after) { wheel.advance(start + after); }
  [[nodiscard]] duration next() const { return wheel.next().value() - start; }

  time_point start;
  timer_wheel wheel;
};

duration::rep ticks_up(duration exact) { return (exact + tick - 1ns) / tick; }

bool fired(const timer_node& node) { return node.fired.load(); }

}  // namespace

BOOST_AUTO_TEST_SUITE(timer_wheel_)

BOOST_AUTO_TEST_CASE(an_empty_wheel_has_no_next_time) {
  wheel_at at;
  BOOST_TEST(!at.wheel.next().has_value());
  BOOST_TEST(!at.wheel.due(at.start + 365 * day));
  at.advance(1h);
  BOOST_TEST(!at.wheel.next().has_value());
}

BOOST_AUTO_TEST_CASE(fires_at_the_tick_after_the_deadline_and_never_before) {
  wheel_at at{12345ns};
  timer_node node;
  at.insert(node, 10 * tick + 1ns);
  at.advance(10 * tick + 1ns);
  BOOST_TEST(!fired(node));
  at.advance(11 * tick - 1ns);
  BOOST_TEST(!fired(node));
  BOOST_TEST(at.wheel.size() == 1u);
  at.advance(11 * tick);
  BOOST_TEST(fired(node));
  BOOST_TEST(at.wheel.size() == 0u);
}

BOOST_AUTO_TEST_CASE(a_deadline_in_the_past_fires_at_the_next_tick) {
  wheel_at at;
  at.advance(1h);
  timer_node node;
  at.insert(node, 1s);
  at.advance(1h + tick);
  BOOST_TEST(fired(node));
}

BOOST_AUTO_TEST_CASE(insert_says_which_timer_is_the_earliest) {
  wheel_at at;
  std::array<timer_node, 4> nodes;
  BOOST_TEST(at.insert(nodes[0], 10ms));
  BOOST_TEST(!at.insert(nodes[1], 20ms));
  BOOST_TEST(at.insert(nodes[2], 5ms));
  BOOST_TEST(!at.insert(nodes[3], 5ms));
  BOOST_CHECK(at.next() >= 5ms && at.next() < 5ms + tick);
  for (auto& each : nodes) at.wheel.erase(each);
}

BOOST_AUTO_TEST_CASE(an_erased_timer_does_not_fire) {
  wheel_at at;
  timer_node kept, erased;
  at.insert(kept, 10ms);
  at.insert(erased, 10ms);
  at.wheel.erase(erased);
  at.wheel.erase(erased);
  at.advance(1s);
  BOOST_TEST(fired(kept));
  BOOST_TEST(!fired(erased));
  at.wheel.erase(kept);  // Harmless when it has fired.
}

BOOST_AUTO_TEST_CASE(an_erased_last_timer_leaves_nothing_to_wait_for) {
  wheel_at at;
  timer_node node;
  at.insert(node, 10ms);
  at.wheel.erase(node);
  BOOST_TEST(!at.wheel.next().has_value());
}

BOOST_AUTO_TEST_CASE(a_timer_beyond_the_range_fires_on_time_and_hides_none_that_is_earlier) {
  for (duration began : {duration{1s}, duration{50h}, 100 * day, 130 * day}) {
    wheel_at at;
    at.advance(began);
    std::array<timer_node, 4> nodes;
    const std::array<duration, 4> after{4000 * day, 110 * day, 60h, 200 * day};
    for (std::size_t i = 0; i < nodes.size(); ++i) at.insert(nodes[i], began + after[i]);
    std::size_t wrong = 0;
    for (duration now = began; now < began + 4001 * day; now += 5h) {
      at.advance(now);
      for (std::size_t i = 0; i < nodes.size(); ++i) {
        wrong += fired(nodes[i]) != (now / tick >= ticks_up(began + after[i]));
      }
    }
    BOOST_TEST(wrong == 0u);
    for (auto& each : nodes) BOOST_TEST(fired(each));
  }
}

BOOST_AUTO_TEST_CASE(the_last_moment_there_is_can_be_waited_for) {
  for (duration origin : {duration{0s}, duration{12345s}}) {
    wheel_at at{origin};
    timer_node never, soon;
    never.deadline = time_point::max();
    at.wheel.insert(never);
    BOOST_CHECK(at.wheel.next() > at.start);
    at.insert(soon, 1s);
    BOOST_CHECK(at.next() >= 1s && at.next() <= 1s + tick);
    at.advance(2s);
    BOOST_TEST(fired(soon));
    BOOST_TEST(!fired(never));
    at.wheel.erase(never);
  }
}

// Goal:   every timer fires at the first look at or after its tick, and next() is never too late.
// Method: random deadlines of all sizes, random erasures and steps, against a plain list.
BOOST_AUTO_TEST_CASE(agrees_with_a_plain_list) {
  for (std::uint64_t seed = 1; seed <= test::rounds(20); ++seed) {
    pal::random random{seed};
    wheel_at at{duration{static_cast<duration::rep>(random.below(1'000'000'000))}};
    auto some = [&] { return duration{1LL << (10 + random.below(45))}; };
    std::vector<timer_node> nodes(100);
    std::vector<duration::rep> due(nodes.size());
    duration now{0};
    std::size_t late = 0, early = 0, slept_too_long = 0;
    for (std::size_t step = 0; step < 3000; ++step) {
      std::size_t i = random.below(nodes.size());
      if (nodes[i].linked()) {
        if (random.below(4) == 0) at.wheel.erase(nodes[i]);
      } else {
        duration after = now + some() + duration{static_cast<duration::rep>(random.below(1000))};
        due[i] = ticks_up(after);
        at.insert(nodes[i], after);
      }
      if (random.below(2) == 0) {
        now += some();
        at.advance(now);
      }
      for (std::size_t n = 0; n < nodes.size(); ++n) {
        if (fired(nodes[n])) early += due[n] > now / tick;
        if (!nodes[n].linked()) continue;
        late += due[n] <= now / tick;
        slept_too_long += at.next() > due[n] * tick;
      }
    }
    BOOST_TEST(late == 0u);
    BOOST_TEST(early == 0u);
    BOOST_TEST(slept_too_long == 0u);
    for (auto& each : nodes) at.wheel.erase(each);
  }
}

BOOST_AUTO_TEST_CASE(a_million_timers_fire_in_the_order_of_their_ticks) {
  const std::size_t count = test::rounds(1'000'000);
  wheel_at at;
  pal::random random{7};
  std::vector<duration::rep> after(count);
  for (auto& each : after) each = static_cast<duration::rep>(random.below(3'600'000'000'000));
  std::sort(after.begin(), after.end());
  std::vector<timer_node> nodes(count);
  for (std::size_t i = 0, next = 0; i < count; ++i, next = (next + 999'983) % count) {
    at.insert(nodes[next], duration{after[next]});
  }
  BOOST_TEST(at.wheel.size() == count);
  std::size_t reached = 0, late = 0;
  while (auto next = at.wheel.next()) {
    at.wheel.advance(*next);
    while (reached < count && fired(nodes[reached])) ++reached;
    late += reached < count && nodes[reached].deadline <= *next - tick;
  }
  BOOST_TEST(reached == count);
  BOOST_TEST(late == 0u);
}

// Goal:   a timer that is erased while another thread advances has either fired or never will.
BOOST_AUTO_TEST_CASE(erase_against_advance_on_another_thread_settles_each_timer) {
  const std::size_t count = test::rounds(20'000);
  wheel_at at;
  auto nodes = std::make_unique<std::vector<timer_node>>(count);
  pal::atomic<std::size_t> inserted{0}, over{0}, changed_later{0};
  test::race(2, [&](std::size_t self) {
    if (self == 1) {
      for (duration now{0}; over.load() == 0; now += tick) at.advance(now);
      return;
    }
    for (auto& each : *nodes) {
      at.insert(each, inserted.fetch_add(1) * tick);
      at.wheel.erase(each);
      bool has_fired = fired(each);
      pal::spin_hint();
      if (fired(each) != has_fired || each.linked()) changed_later.fetch_add(1);
    }
    over.store(1);
  });
  BOOST_TEST(changed_later.load() == 0u);
  BOOST_TEST(at.wheel.size() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::detail
