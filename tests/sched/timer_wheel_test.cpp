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
  void advance(duration after) { wheel.advance(start + after, SIZE_MAX, false); }
  [[nodiscard]] duration next() const { return wheel.next().value() - start; }

  time_point start;
  timer_wheel wheel;
};

/// One with a shelf, and the time it goes by.
struct shelved {
  void pass(duration length, bool is_owner) {
    clock.advance(length);
    if (wheel.due(clock.now())) wheel.advance(clock.now(), SIZE_MAX, is_owner);
  }

  pal::virtual_clock clock;
  timer_wheel wheel{clock.now(), true};
};

duration::rep ticks_up(duration exact) { return (exact + tick - 1ns) / tick; }

bool fired(const timer_node& node) { return node.fired.load(); }

}  // namespace

BOOST_AUTO_TEST_SUITE(timer_wheel_)

BOOST_AUTO_TEST_CASE(an_exact_wheel_fires_at_the_very_deadline_however_far) {
  time_point start{17ns};
  timer_wheel wheel{start, false, true};
  for (duration after :
       {1ns, 63ns, 64ns, 12'345ns, 1'000'000ns, 999'999'999ns, 3'600'000'000'001ns}) {
    timer_node node;
    node.deadline = start + after;
    wheel.insert(node);
    while (!fired(node)) {
      time_point next = wheel.next().value();
      BOOST_TEST_REQUIRE((next <= node.deadline));
      start = next;
      wheel.advance(next, SIZE_MAX, true);
    }
    BOOST_TEST((start == node.deadline));
  }
}

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
    at.wheel.advance(*next, SIZE_MAX, false);
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

BOOST_AUTO_TEST_CASE(no_more_fire_than_were_asked_for_and_the_others_stay_due) {
  wheel_at at;
  std::array<timer_node, 50> nodes;
  for (auto& each : nodes) at.insert(each, 10ms);
  at.wheel.advance(at.start + 1s, 20, true);
  for (std::size_t i = 0; i < nodes.size(); ++i) BOOST_TEST(fired(nodes[i]) == (i < 20));
  BOOST_TEST(at.wheel.size() == 30u);
  BOOST_TEST(at.wheel.due(at.start + 10ms + tick));
  at.wheel.erase(nodes[20]);
  at.wheel.advance(at.start + 1s, 28, true);
  BOOST_TEST(!fired(nodes[49]));
  timer_node later;
  at.insert(later, 2s);
  at.wheel.advance(at.start + 1s, 28, true);
  for (std::size_t i = 0; i < nodes.size(); ++i) BOOST_TEST(fired(nodes[i]) == (i != 20));
  BOOST_TEST(at.wheel.size() == 1u);
  BOOST_CHECK(at.next() >= 1s);
  at.wheel.erase(later);
}

BOOST_AUTO_TEST_CASE(what_leaves_the_shelf_is_never_early_and_little_late) {
  for (bool by_owner : {true, false}) {
    shelved at;
    std::vector<timer_node> nodes(3 * timer_shelf::capacity);  // Most of them find no room.
    std::vector<time_point> armed(nodes.size());
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      armed[i] = at.clock.now();
      at.wheel.shelve(nodes[i], 100ms, at.clock);
      at.pass(10us, by_owner);
    }
    std::size_t early = 0, late = 0;
    for (int step = 0; step < 1200; ++step) {
      at.pass(100us, by_owner);
      for (std::size_t i = 0; i < nodes.size(); ++i) {
        duration passed = at.clock.now() - armed[i];
        early += fired(nodes[i]) && passed < 100ms;
        late += !fired(nodes[i]) && passed > 100ms + timer_wheel::max_on_shelf + 100us + tick;
      }
    }
    BOOST_TEST(early == 0u);
    BOOST_TEST(late == 0u);
    BOOST_TEST(at.wheel.size() == 0u);
    at.wheel.clear_shelf(at.clock);
    BOOST_TEST(!at.wheel.next().has_value());
  }
}

BOOST_AUTO_TEST_CASE(after_a_long_turn_timers_go_straight_to_the_wheel) {
  shelved at;
  timer_node late, again;
  std::vector<timer_node> exact(timer_wheel::exact_after_overdue);
  at.wheel.shelve(late, 100ms, at.clock);
  at.pass(50ms, true);  // Nobody has looked meanwhile.
  BOOST_CHECK(late.deadline == at.clock.now() + 100ms);
  std::size_t inexact = 0;
  for (auto& each : exact) {
    at.wheel.shelve(each, 200ms, at.clock);
    inexact += each.deadline != at.clock.now() + 200ms;
  }
  BOOST_TEST(inexact == 0u);
  at.wheel.shelve(again, 100ms, at.clock);
  BOOST_TEST(at.wheel.size() == exact.size() + 1);
  at.pass(timer_wheel::max_on_shelf, true);
  BOOST_CHECK(again.deadline == at.clock.now() + 100ms);
  at.pass(201ms, true);
  BOOST_TEST(at.wheel.size() == 0u);
}

BOOST_AUTO_TEST_CASE(what_was_erased_on_the_shelf_is_nothing_to_wait_for) {
  shelved at;
  timer_node node, kept;
  BOOST_TEST(at.wheel.shelve(node, 10s, at.clock));
  BOOST_TEST(!at.wheel.shelve(kept, 1h, at.clock));
  BOOST_CHECK(at.wheel.next().value() <= at.clock.now() + timer_wheel::max_on_shelf);
  at.wheel.erase(node);
  BOOST_CHECK(node.deadline == time_point::min());
  at.wheel.clear_shelf(at.clock);
  BOOST_TEST(at.wheel.size() == 1u);
  BOOST_CHECK(at.wheel.next().value() >= at.clock.now() + 1s);
  at.wheel.erase(kept);
  BOOST_CHECK(kept.deadline == at.clock.now() + 1h);
  BOOST_TEST(!at.wheel.next().has_value());
}

BOOST_AUTO_TEST_CASE(an_empty_wheel_still_waits_for_its_shelf) {
  shelved at;
  timer_node on_shelf, in_wheel;
  at.wheel.shelve(on_shelf, 1h, at.clock);
  in_wheel.deadline = at.clock.now() + 1h;
  at.wheel.insert(in_wheel);
  at.wheel.erase(in_wheel);
  BOOST_CHECK(at.wheel.next().value() <= at.clock.now() + timer_wheel::max_on_shelf);
  at.wheel.erase(on_shelf);
}

// Goal:   a timer that its task takes off the shelf while another thread settles that has either
//         fired or never will, and no other timer is lost.
BOOST_AUTO_TEST_CASE(shelf_against_advance_on_another_thread_settles_each_timer) {
  const std::size_t count = test::rounds(20'000);
  shelved at;
  auto nodes = std::make_unique<std::vector<timer_node>>(count);
  pal::atomic<std::size_t> over{0};
  std::size_t changed_later = 0, kept = 0;
  test::race(2, [&](std::size_t self) {
    if (self == 1) {
      while (over.load() == 0) at.pass(timer_wheel::max_on_shelf, false);
      return;
    }
    for (std::size_t i = 0; i < count; ++i) {
      timer_node& each = (*nodes)[i];
      at.wheel.shelve(each, i % 2 == 0 ? 10ms : duration{1h}, at.clock);
      if (i % 100 == 1 && ++kept > 0) continue;
      if (i % 7 == 0) at.wheel.clear_shelf(at.clock);
      at.wheel.erase(each);
      bool has_fired = fired(each);
      pal::spin_hint();
      changed_later += fired(each) != has_fired || each.linked();
    }
    over.store(1);
  });
  BOOST_TEST(changed_later == 0u);
  at.wheel.clear_shelf(at.clock);
  at.wheel.advance(at.clock.now() + 2h, SIZE_MAX, true);
  BOOST_TEST(at.wheel.size() == 0u);
  for (std::size_t i = 1; i < count; i += 100) kept -= fired((*nodes)[i]);
  BOOST_TEST(kept == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::detail
