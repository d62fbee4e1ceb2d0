#include <array>
#include <cstddef>

#include <boost/test/unit_test.hpp>

#include <troupe/pal/atomic.hpp>
#include <troupe/pal/random.hpp>
#include <troupe/sched/detail/handoff_slot.hpp>

#include <threads.hpp>

namespace troupe::detail {

namespace {

struct token final : job {
  token() : job{[](job&) noexcept {}} {}
  pal::atomic<int> in_slot{0};
  std::size_t handed_over = 0;  // Plain: whoever has the job may write it. TSan looks on.
};

}  // namespace

BOOST_AUTO_TEST_SUITE(handoff_slot_)

BOOST_AUTO_TEST_CASE(gives_back_what_lay_there_before) {
  handoff_slot slot;
  token first, second;
  BOOST_CHECK(slot.put(first) == nullptr);
  BOOST_CHECK(slot.put(second) == &first);
  BOOST_CHECK(slot.look() == &second);
  BOOST_CHECK(slot.take() == &second);
  BOOST_CHECK(slot.take() == nullptr);
}

BOOST_AUTO_TEST_CASE(a_thief_takes_only_what_it_has_seen) {
  handoff_slot slot;
  token seen, other;
  BOOST_CHECK(slot.steal(&seen) == nullptr);
  (void)slot.put(seen);
  (void)slot.put(other);
  BOOST_CHECK(slot.steal(&seen) == nullptr);
  BOOST_CHECK(slot.take() == &other);
}

BOOST_AUTO_TEST_CASE(theft_before_take_leaves_the_owner_nothing) {
  handoff_slot slot;
  token only;
  (void)slot.put(only);
  BOOST_CHECK(slot.steal(&only) == &only);
  BOOST_CHECK(slot.take() == nullptr);
  BOOST_CHECK(slot.take() == nullptr);
}

BOOST_AUTO_TEST_CASE(theft_before_put_does_not_give_the_stolen_job_back) {
  handoff_slot slot;
  token stolen, fresh;
  (void)slot.put(stolen);
  BOOST_CHECK(slot.steal(&stolen) == &stolen);
  BOOST_CHECK(slot.put(fresh) == nullptr);
  BOOST_CHECK(slot.take() == &fresh);
}

BOOST_AUTO_TEST_CASE(a_stolen_job_that_comes_back_is_there_once) {
  handoff_slot slot;
  token job;
  (void)slot.put(job);
  BOOST_CHECK(slot.steal(&job) == &job);
  BOOST_CHECK(slot.put(job) == nullptr);  // The thief has run it, and it was woken here again.
  BOOST_CHECK(slot.take() == &job);
  BOOST_CHECK(slot.take() == nullptr);
}

BOOST_AUTO_TEST_CASE(a_second_theft_waits_until_the_owner_has_settled_the_first) {
  handoff_slot slot;
  token first, second;
  (void)slot.put(first);
  BOOST_CHECK(slot.steal(&first) == &first);
  BOOST_CHECK(slot.look() == &first);          // Stale,
  BOOST_CHECK(slot.steal(&first) == nullptr);  // and not to be had twice.
  (void)slot.put(second);
  BOOST_CHECK(slot.steal(&second) == &second);
  BOOST_CHECK(slot.take() == nullptr);
}

// Goal:   nothing is lost and nothing is had twice, whatever owner and thieves do at the same time.
// Method: a few jobs go round, for as long as the thieves need to get one; who takes one out checks
//         that it was in.
BOOST_AUTO_TEST_CASE(owner_and_thieves_hammering_it_lose_nothing_and_take_nothing_twice) {
  const std::size_t puts = test::rounds(60'000);
  handoff_slot slot;
  std::array<token, 3> tokens;
  pal::atomic<bool> over{false};
  pal::atomic<std::size_t> taken_twice{0}, stolen{0};

  auto out = [&](job* found) {
    auto& mine = static_cast<token&>(*found);
    ++mine.handed_over;
    if (mine.in_slot.exchange(0) != 1) taken_twice.fetch_add(1);
  };
  auto own = [&] {
    pal::random random{1};
    for (std::size_t done = 0; done < puts || stolen.load() == 0; ++done) {
      token& next = tokens[random.below(tokens.size())];
      if (next.in_slot.load() == 0) {
        ++next.handed_over;
        next.in_slot.store(1);
        if (job* before = slot.put(next)) out(before);
      }
      for (auto pause = random.below(64); pause > 0; --pause) pal::spin_hint();
      if (random.below(2) == 0) {
        if (job* found = slot.take()) out(found);
      }
    }
    over.store(true);
  };
  auto steal = [&] {
    while (!over.load()) {
      const job* seen = slot.look();
      if (seen == nullptr) continue;
      if (job* found = slot.steal(seen)) {
        out(found);
        stolen.fetch_add(1);
      }
    }
  };
  test::race(3, [&](std::size_t i) { i == 0 ? own() : steal(); });
  if (job* last = slot.take()) out(last);
  BOOST_TEST(taken_twice.load() == 0u);
  BOOST_TEST(stolen.load() > 0u);
  for (auto& each : tokens) BOOST_TEST(each.in_slot.load() == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::detail
