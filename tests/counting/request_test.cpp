#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <new>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <boost/test/unit_test.hpp>

#include <troupe/actor/actor.hpp>
#include <troupe/actor/ask_many.hpp>
#include <troupe/sched/block_on.hpp>
#include <troupe/sched/scheduler.hpp>

#include "counted/troupe/pal/atomic.hpp"
#include "counted/troupe/pal/condition.hpp"
#include "counted/troupe/pal/mutex.hpp"

// What a warm request costs, counted and not measured. The framework is compiled into this program
// once more, with atomics and mutexes that note their locked operations, and with the functions
// below in place of base/memory.cpp.

namespace {

thread_local std::uint64_t taken_from_heap = 0;  // By this thread, in blocks.

void* counted_block(std::size_t size_bytes) {
  ++taken_from_heap;
  void* block = std::malloc(size_bytes);
  if (block == nullptr) throw std::bad_alloc{};
  return block;
}

}  // namespace

void* operator new(std::size_t size_bytes) { return counted_block(size_bytes); }
void* operator new(std::size_t size_bytes, std::align_val_t alignment) {
  ++taken_from_heap;
  void* block = std::aligned_alloc(static_cast<std::size_t>(alignment), size_bytes);
  if (block == nullptr) throw std::bad_alloc{};
  return block;
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }

namespace troupe::inline v0_1 {

void* allocate(std::size_t size_bytes) { return counted_block(size_bytes); }
void deallocate(void* block, std::size_t) noexcept { std::free(block); }

namespace {

constexpr int rounds = 10'000;

struct add {
  std::int64_t amount;
};

// Larger than what is kept at hand: each takes a block.
struct large {
  std::array<std::byte, 1024> content;
};

class counter : public actor {
public:
  std::int64_t on(add m) { return sum_ += m.amount; }
  std::int64_t on(const large&) { return sum_; }

private:
  std::int64_t sum_ = 0;
};

struct counts {
  std::uint64_t blocks = 0;
  std::vector<std::source_location> locked;
};

// What the worker does in so many warm requests, all of it.
template <class Message>
task<counts> count_requests(ref<counter> to, bool sleeps = false) {
  counts found;
  found.locked.reserve(rounds * 16);
  Message message{};
  std::uint64_t before = 0;
  for (int i = -100; i < rounds; ++i) {
    if (i == 0) {  // The others were for warmth.
      before = taken_from_heap;
      test::locked_operations = &found.locked;
    }
    if (sleeps) {
      detail::withdrawable asking{to.ask(message)};
      (void)co_await asking;
    } else {
      (void)co_await to.ask(message);
    }
  }
  test::locked_operations = nullptr;
  found.blocks = taken_from_heap - before;
  co_return found;
}

struct begin {
  bool sleeps = false;
};

class client : public actor {
public:
  explicit client(ref<counter> to) : to_{std::move(to)} {}
  task<counts> on(begin m) { return count_requests<add>(to_, m.sleeps); }

private:
  ref<counter> to_;
};

template <class Message>
task<counts> from_task() {
  co_return co_await count_requests<Message>(spawn<counter>());
}

task<counts> from_task_that_sleeps() {
  co_return co_await count_requests<add>(spawn<counter>(), true);
}

task<counts> from_handler() {
  auto asking = spawn<client>(spawn<counter>());
  co_return co_await asking.ask<begin>();
}

task<counts> from_handler_that_sleeps() {
  auto asking = spawn<client>(spawn<counter>());
  co_return co_await asking.ask<begin>(true);
}

// The same of requests to actors that nobody has asked often, so that no worker keeps them.
task<counts> from_task_to_new_actors() {
  constexpr int few = 50;
  counts found;
  found.locked.reserve(rounds * 16);
  std::vector<ref<counter>> all;
  for (int i = 0; i < rounds / few; ++i) all.push_back(spawn<counter>());
  for (const auto& to : all) {
    test::locked_operations = &found.locked;
    for (int i = 0; i < few; ++i) (void)co_await to.ask(add{});
    test::locked_operations = nullptr;
  }
  co_return found;
}

// One worker on a clock that stands still: what a worker does now and then is left out.
counts counted(task<counts> (*body)()) {
  pal::virtual_clock clock;
  scheduler_config config;
  config.clock = &clock;
  scheduler one{std::move(config)};
  return block_on(one, body);
}

// The lines that ask for locked operations, for the text of a failure.
std::string lines_of(const counts& found) {
  std::map<std::string, int> by_line;
  for (const auto& where : found.locked) {
    std::string file = where.file_name();
    ++by_line[fmt::format("{}:{}", file.substr(file.rfind('/') + 1), where.line())];
  }
  std::string text;
  for (const auto& [line, count] : by_line) text += fmt::format("\n  {} times {}", count, line);
  return text;
}

// The two of a round trip within one turn:
//   message_queue::wake            the caller takes the actor's turn
//   message_queue::sleep_again     the actor goes to sleep
// which are left out when the worker keeps the actor; and those of one for which the caller sleeps:
//   message_queue::push            the request goes into the actor's mailbox, and takes its turn
//   message_queue::try_idle_after  the actor takes the request out and goes to sleep
//   task_core::commit_wait         the caller goes to sleep
//   request_base::answer           the answer is there
//   task_core::try_wake            the caller is woken
// Now and then the caller gives way, which takes one.
void check_locked_operations(const counts& found, std::size_t most) {
  BOOST_TEST(found.locked.size() <= most * rounds + rounds / 32,
             found.locked.size() << " in " << rounds << " round trips:" << lines_of(found));
  BOOST_TEST((most == 0 || found.locked.size() >= 1u * rounds), "they are not counted any more");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(request_)

BOOST_AUTO_TEST_CASE(takes_nothing_from_the_heap_when_a_task_asks) {
  BOOST_TEST(counted(&from_task<add>).blocks == 0u);
}

BOOST_AUTO_TEST_CASE(takes_nothing_from_the_heap_when_a_handler_asks) {
  BOOST_TEST(counted(&from_handler).blocks == 0u);
}

BOOST_AUTO_TEST_CASE(takes_one_block_from_the_heap_when_it_is_large) {
  BOOST_TEST(counted(&from_task<large>).blocks == std::uint64_t{rounds});
}

BOOST_AUTO_TEST_CASE(takes_two_locked_operations_within_a_turn) {
  check_locked_operations(counted(&from_task_to_new_actors), 2);
}

BOOST_AUTO_TEST_CASE(takes_none_when_the_worker_keeps_the_actor) {
  check_locked_operations(counted(&from_task<add>), 0);
  check_locked_operations(counted(&from_handler), 0);
}

BOOST_AUTO_TEST_CASE(takes_five_locked_operations_when_the_caller_sleeps) {
  check_locked_operations(counted(&from_task_that_sleeps), 5);
  check_locked_operations(counted(&from_handler_that_sleeps), 5);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::inline v0_1
