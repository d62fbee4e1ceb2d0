// Works on channels: fan_in, ping_pong, coordinator, ring.
//
// A send or a receive that most often need not wait is a plain try_send or try_receive, and the
// awaited operation is for when that fails: a turn of the context spared, and requests are 1.7 to
// 3 x as fast.
#include <algorithm>
#include <atomic>
#include <limits>
#include <memory>

#include <boost/asio/error.hpp>

#include "works.hpp"

namespace asio_bench {

namespace {

constexpr std::size_t producers = 4;
constexpr std::size_t channel_capacity = 1024;
using number = std::uint64_t;

awaitable<void> send_numbers(channel<number>& out, std::size_t count) {
  for (number value = 0; value < count; ++value) {
    if (out.try_send(error_code{}, value)) continue;
    co_await out.async_send(error_code{}, value, asio::deferred);
  }
  // Closing the channel would drop what is in it.
  co_await out.async_send(asio::error::eof, 0, asio::deferred);
}

awaitable<void> sum_up(channel<number>& in, number& sum) {
  std::size_t left = producers;
  auto take = [&left, &sum](error_code end, number value) {
    if (end) --left;
    sum += value;
  };
  while (left > 0) {
    if (in.try_receive(take)) continue;
    auto [end, value] = co_await in.async_receive(outcome);
    take(end, value);
  }
}

// Fair: one context. With the consumer in a context of its own it is as fast, and no steadier.
std::vector<figure> fan_into(std::string_view name, const settings& given, std::size_t capacity) {
  std::size_t each = std::max<std::size_t>(given.size / producers, 1);
  auto all = worker_threads::together(given.workers);
  channel<number> numbers{all.next(), capacity};
  number sum = 0;
  all.start(all.next(), sum_up(numbers, sum));
  for (std::size_t i = 0; i < producers; ++i) all.start(all.next(), send_numbers(numbers, each));
  double seconds = all.run();
  check(sum == producers * (each * (each - 1) / 2), "fan_in: wrong sum");
  return rate(name, "values/s", each * producers, seconds);
}

struct request {
  number value = 0;
  channel<number>* reply = nullptr;
};

awaitable<void> answer(channel<request>& in) {
  request asked;
  auto take = [&asked](error_code end, request next) {
    asked = next;
    if (end) asked.reply = nullptr;
  };
  for (;;) {
    if (!in.try_receive(take)) {
      auto [end, next] = co_await in.async_receive(outcome);
      take(end, next);
    }
    if (asked.reply == nullptr) co_return;
    check(asked.reply->try_send(error_code{}, asked.value + 1), "a client has one request");
  }
}

/// Asks the server `count` times, one request after another, and checks each answer.
awaitable<void> ask_repeatedly(channel<request>& server, channel<number>& reply, std::size_t count,
                               std::atomic<std::size_t>& clients_left) {
  for (number value = 0; value < count; ++value) {
    request asked{value, &reply};
    if (!server.try_send(error_code{}, asked)) {
      co_await server.async_send(error_code{}, asked, asio::deferred);
    }
    auto [end, answer] = co_await reply.async_receive(outcome);
    check(!end && answer == value + 1, "a wrong answer");
  }
  if (clients_left.fetch_sub(1) == 1) server.close();
}

// Fair: one reply channel for all requests of a client, with room for its one answer, and one
// context: between two of them each wake-up is a system call, and it is 0.03 x (ping_pong) to 0.13
// x (coordinator) as fast.
std::vector<figure> ask(std::string_view name, const settings& given, std::size_t clients) {
  std::size_t each = std::max<std::size_t>(given.size / clients, 1);
  auto all = worker_threads::together(given.workers);
  channel<request> server{all.next(), channel_capacity};
  std::deque<channel<number>> replies;
  std::atomic<std::size_t> clients_left = clients;
  all.start(all.next(), answer(server));
  for (std::size_t i = 0; i < clients; ++i) {
    executor on = all.next();
    auto& reply = replies.emplace_back(on, 1);
    all.start(on, ask_repeatedly(server, reply, each, clients_left));
  }
  double seconds = all.run();
  check(clients_left == 0, "a client did not end");
  return rate(name, "requests/s", each * clients, seconds);
}

constexpr std::size_t ring_tasks = 1'000;
constexpr std::size_t tokens = 100;

struct ring_of_links {
  std::deque<channel<number>> links;
  std::atomic<std::size_t> tokens_left = tokens;
};

awaitable<void> pass_on(ring_of_links& ring, std::size_t place) {
  channel<number>& from = ring.links[place];
  channel<number>& to = ring.links[(place + 1) % ring_tasks];
  for (;;) {
    auto [end, hops_left] = co_await from.async_receive(outcome);
    if (end) co_return;
    if (hops_left > 0) {
      check(to.try_send(error_code{}, hops_left - 1), "a link has room for every token");
    } else if (ring.tokens_left.fetch_sub(1) == 1) {
      for (auto& link : ring.links) link.close();
    }
  }
}

}  // namespace

std::vector<figure> fan_in(const settings& given) {
  return fan_into("fan_in", given, channel_capacity);
}

std::vector<figure> fan_in_unbounded(const settings& given) {
  return fan_into("fan_in_unbounded", given, std::numeric_limits<std::size_t>::max());
}

std::vector<figure> ping_pong(const settings& given) { return ask("ping_pong", given, 1); }

std::vector<figure> coordinator(const settings& given) { return ask("coordinator", given, 8); }

// Fair: a channel per coroutine with room for every token, so that no send ever waits; building and
// tearing down the ring is not timed but for the first and the last step of each coroutine.
std::vector<figure> ring(const settings& given) {
  std::size_t hops_each = std::max<std::size_t>(given.size / tokens, 1);
  auto all = worker_threads::together(given.workers);
  ring_of_links ring;
  for (std::size_t i = 0; i < ring_tasks; ++i) ring.links.emplace_back(all.next(), tokens);
  for (std::size_t i = 0; i < ring_tasks; ++i) all.start(all.next(), pass_on(ring, i));
  for (std::size_t i = 0; i < tokens; ++i) {
    // The token's way in is its first hop.
    ring.links[i * ring_tasks / tokens].try_send(error_code{}, hops_each - 1);
  }
  double seconds = all.run();
  check(ring.tokens_left == 0, "ring: a token was lost");
  return rate("ring", "hops/s", hops_each * tokens, seconds);
}

}  // namespace asio_bench
