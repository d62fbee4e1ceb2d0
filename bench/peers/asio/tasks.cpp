// Works on bare coroutines: spawn, yield, skynet, memory.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <memory>

#include <unistd.h>

#include <boost/asio/post.hpp>

#include "works.hpp"

namespace asio_bench {

namespace {

awaitable<void> count_down(std::atomic<std::size_t>& left) {
  left.fetch_sub(1, std::memory_order_relaxed);
  co_return;
}

awaitable<void> spawn_all(std::size_t count, std::atomic<std::size_t>& left) {
  executor here = co_await asio::this_coro::executor;
  for (std::size_t i = 0; i < count; ++i) asio::co_spawn(here, count_down(left), asio::detached);
}

awaitable<void> yield_often(std::size_t rounds, std::atomic<std::size_t>& yields) {
  executor here = co_await asio::this_coro::executor;
  for (std::size_t i = 0; i < rounds; ++i) co_await asio::post(here, asio::deferred);
  yields.fetch_add(rounds, std::memory_order_relaxed);
}

constexpr std::size_t children = 10;

/// Shared, as the one that tells the parent is still at it when the parent goes on.
struct children_sum {
  explicit children_sum(executor on) : done{on, 1} {}

  std::atomic<std::uint64_t> sum = 0;
  std::atomic<std::size_t> left = children;
  asio::experimental::concurrent_channel<executor, void(error_code)> done;
};

/// The node for the leaves first .. first + leaves; it returns the sum of them.
awaitable<std::uint64_t> skynet_node(std::uint64_t first, std::uint64_t leaves) {
  if (leaves == 1) co_return first;
  executor here = co_await asio::this_coro::executor;
  std::uint64_t part = leaves / children;
  auto all = std::make_shared<children_sum>(here);
  for (std::size_t child = 0; child < children; ++child) {
    asio::co_spawn(here, skynet_node(first + child * part, part),
                   [all](std::exception_ptr failure, std::uint64_t sum) {
                     if (failure) std::rethrow_exception(failure);
                     all->sum.fetch_add(sum, std::memory_order_relaxed);
                     if (all->left.fetch_sub(1, std::memory_order_acq_rel) == 1) {
                       all->done.try_send(error_code{});
                     }
                   });
  }
  co_await all->done.async_receive(asio::deferred);
  co_return all->sum.load(std::memory_order_relaxed);
}

awaitable<void> skynet_root(std::uint64_t leaves, std::uint64_t& sum) {
  sum = co_await skynet_node(0, leaves);
}

double resident_bytes() {
  std::FILE* statm = std::fopen("/proc/self/statm", "r");
  check(statm != nullptr, "/proc/self/statm");
  long pages = 0;
  int count = std::fscanf(statm, "%*d %ld", &pages);
  std::fclose(statm);
  check(count == 1, "/proc/self/statm");
  return static_cast<double>(pages) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

using mailbox = channel<std::uint64_t>;

awaitable<void> idle(mailbox*& sender, std::atomic<std::size_t>& left, worker_threads& all) {
  mailbox receiver{co_await asio::this_coro::executor, 64};
  sender = &receiver;
  if (left.fetch_sub(1, std::memory_order_relaxed) == 1) all.stop();
  for (;;) {
    auto [end, value] = co_await receiver.async_receive(outcome);
    if (end) co_return;
  }
}

}  // namespace

// Fair: detached, and started by a coroutine that runs in the one context itself. With
// any_io_executor in place of the type of the context's own it is slower.
std::vector<figure> spawn(const settings& given) {
  auto all = worker_threads::together(given.workers);
  std::atomic<std::size_t> left = given.size;
  all.start(all.next(), spawn_all(given.size, left));
  double seconds = all.run();
  check(left == 0, "spawn: a coroutine did not run");
  return rate("spawn", "tasks/s", given.size, seconds);
}

// Fair: post is the only way to give way. A context per thread, as no coroutine has to do with
// another: with one context for both 0.7 x.
std::vector<figure> yield(const settings& given) {
  constexpr std::size_t tasks = 200;
  std::size_t each = std::max<std::size_t>(given.size / tasks, 1);
  auto all = worker_threads::apart(given.workers);
  std::atomic<std::size_t> yields = 0;
  for (std::size_t i = 0; i < tasks; ++i) all.start(all.next(), yield_often(each, yields));
  double seconds = all.run();
  check(yields == each * tasks, "yield: a coroutine did not end");
  return rate("yield", "yields/s", each * tasks, seconds);
}

// Fair: every node and every leaf is one coroutine; ten children add to an atomic sum, and the last
// one wakes the parent through a channel. Ten receives from a channel in place of the sum: 1.4 x as
// long.
std::vector<figure> skynet(const settings& given) {
  std::uint64_t leaves = 1, sum = 0;
  while (leaves * children <= given.size) leaves *= children;
  auto all = worker_threads::together(given.workers);
  all.start(all.next(), skynet_root(leaves, sum));
  double seconds = all.run();
  check(sum == leaves * (leaves - 1) / 2, "skynet: wrong sum");
  return {{"skynet", "s", seconds}};
}

// Fair: the smallest coroutine that can serve a channel, with the channel in its frame. The frame
// and the entry of co_spawn are half of it; the rest is a std::deque, which each channel has. The
// list of senders is in memory touched before the first reading, and nothing is freed, as that
// would hide the growth of the next repetition.
std::vector<figure> memory(const settings& given) {
  auto& all = *new auto(worker_threads::together(given.workers));
  auto& senders = *new std::vector<mailbox*>(given.size);
  std::atomic<std::size_t> left = given.size;
  double before = resident_bytes();
  for (mailbox*& sender : senders) all.start(all.next(), idle(sender, left, all));
  all.run();
  check(left == 0, "memory: a coroutine did not start");
  return {{"memory", "bytes", (resident_bytes() - before) / static_cast<double>(given.size)}};
}

}  // namespace asio_bench
