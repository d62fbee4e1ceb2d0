#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/pal/atomic.hpp>
#include <troupe/pal/random.hpp>
#include <troupe/sched/detail/run_queue.hpp>

#include <threads.hpp>

namespace troupe::detail {

namespace {

struct numbered final : job {
  numbered() : job{[](job&) noexcept {}} {}
  pal::atomic<int> queued{0};
  std::size_t runs = 0;  // Plain: whoever has the job may write it. TSan looks on.
};

using half = std::array<job*, run_queue::capacity / 2>;

struct filled {
  explicit filled(std::size_t count) : jobs(count) {
    for (auto& each : jobs) BOOST_REQUIRE(queue.push(each));
  }
  run_queue queue;
  std::vector<numbered> jobs;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(run_queue_)

BOOST_AUTO_TEST_CASE(is_first_in_first_out) {
  filled full{5};
  for (auto& each : full.jobs) BOOST_CHECK(full.queue.pop() == &each);
  BOOST_CHECK(full.queue.pop() == nullptr);
}

BOOST_AUTO_TEST_CASE(refuses_a_job_beyond_its_capacity_and_takes_it_after_a_pop) {
  filled full{run_queue::capacity};
  numbered extra;
  BOOST_TEST(!full.queue.push(extra));
  BOOST_TEST(full.queue.size() == run_queue::capacity);
  BOOST_CHECK(full.queue.pop() == &full.jobs.front());
  BOOST_TEST(full.queue.push(extra));
}

BOOST_AUTO_TEST_CASE(half_of_it_is_the_older_half_rounded_up) {
  filled full{5};
  half out;
  BOOST_TEST(full.queue.take_half(out) == 3u);
  for (std::size_t i = 0; i < 3; ++i) BOOST_CHECK(out[i] == &full.jobs[i]);
  BOOST_CHECK(full.queue.pop() == &full.jobs[3]);
  BOOST_TEST(full.queue.take_half(out) == 1u);
  BOOST_CHECK(out[0] == &full.jobs[4]);
  BOOST_TEST(full.queue.take_half(out) == 0u);
}

BOOST_AUTO_TEST_CASE(half_of_a_full_queue_fits) {
  filled full{run_queue::capacity};
  half out;
  BOOST_TEST(full.queue.take_half(out) == run_queue::capacity / 2);
  BOOST_CHECK(out.back() == &full.jobs[run_queue::capacity / 2 - 1]);
}

BOOST_AUTO_TEST_CASE(goes_round_its_ring) {
  run_queue queue;
  std::vector<numbered> jobs(3);
  for (std::size_t i = 0; i < 3 * run_queue::capacity; ++i) {
    BOOST_REQUIRE(queue.push(jobs[i % 3]));
    BOOST_REQUIRE(queue.pop() == &jobs[i % 3]);
  }
}

BOOST_AUTO_TEST_CASE(brings_the_chosen_job_forward_and_keeps_the_rest) {
  filled full{4};
  full.queue.bring_forward(2);
  for (std::size_t next : {2U, 1U, 0U, 3U}) BOOST_CHECK(full.queue.pop() == &full.jobs[next]);
}

// Goal:   each job comes out once, whoever takes it, also while the ring is full and wraps.
// Method: the owner pushes and pops, and empties half of a full queue; thieves take halves. Who has
//         a job checks that it was queued, and gives it back to the owner.
BOOST_AUTO_TEST_CASE(owner_and_thieves_take_every_job_once) {
  const std::size_t pushes = test::rounds(3'000'000);
  auto queue = std::make_unique<run_queue>();
  std::vector<numbered> jobs(2 * run_queue::capacity);
  pal::atomic<bool> over{false};
  pal::atomic<std::size_t> taken_twice{0}, stolen{0};

  auto out = [&](job* found) {
    auto& mine = static_cast<numbered&>(*found);
    ++mine.runs;
    if (mine.queued.exchange(0) != 1) taken_twice.fetch_add(1);
  };
  auto empty_half = [&] {
    half some;
    std::uint32_t count = queue->take_half(some);
    for (std::uint32_t i = 0; i < count; ++i) out(some[i]);
    return count;
  };
  auto own = [&] {
    pal::random random{1};
    std::size_t next = 0;
    for (std::size_t done = 0; done < pushes || stolen.load() == 0; ++done) {
      numbered& fresh = jobs[next++ % jobs.size()];
      if (fresh.queued.load() == 0) {
        ++fresh.runs;
        fresh.queued.store(1);
        if (!queue->push(fresh)) {
          out(&fresh);
          empty_half();
        }
      }
      if (random.below(3) == 0) {
        if (job* oldest = queue->pop()) out(oldest);
      }
    }
    over.store(true);
  };
  auto steal = [&] {
    while (!over.load()) stolen.fetch_add(empty_half());
  };
  test::race(3, [&](std::size_t i) { i == 0 ? own() : steal(); });
  while (job* left = queue->pop()) out(left);
  BOOST_TEST(taken_twice.load() == 0u);
  BOOST_TEST(stolen.load() > 0u);
  for (auto& each : jobs) BOOST_REQUIRE_EQUAL(each.queued.load(), 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::detail
