// What the works of asio_bench share.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace asio_bench {

namespace asio = boost::asio;
using boost::system::error_code;

// The executor's own type all over, in place of any_io_executor: a call saved for each step.
using executor = asio::io_context::executor_type;
template <class Result>
using awaitable = asio::awaitable<Result, executor>;
template <class Value>
using channel = asio::experimental::concurrent_channel<executor, void(error_code, Value)>;

// Deferred operations have no coroutine frame of their own, which use_awaitable gives them.
constexpr auto outcome = asio::as_tuple(asio::deferred);

struct settings {
  std::size_t workers = 2;
  std::size_t size = 0;  // total operations
};

struct figure {
  std::string_view name, unit;
  double value;
};

struct work {
  std::string_view name;
  std::size_t size;
  std::vector<figure> (*measure)(const settings&);
};

std::vector<figure> spawn(const settings& given);
std::vector<figure> yield(const settings& given);
std::vector<figure> skynet(const settings& given);
std::vector<figure> memory(const settings& given);
std::vector<figure> fan_in(const settings& given);
std::vector<figure> fan_in_unbounded(const settings& given);
std::vector<figure> ping_pong(const settings& given);
std::vector<figure> coordinator(const settings& given);
std::vector<figure> ring(const settings& given);
std::vector<figure> timers(const settings& given);
std::vector<figure> timeouts(const settings& given);
void serve_echo(const settings& given);

inline void check(bool is_right, const char* what) {
  if (!is_right) throw std::runtime_error{what};
}

inline double seconds_now() {
  auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>{since}.count();
}

/// The threads, and what they run: one context for all, or one for each of them.
/// A thread_pool in place of the one context is as fast: the same scheduler is in both.
class worker_threads {
public:
  static worker_threads together(std::size_t count) { return {1, count}; }
  static worker_threads apart(std::size_t count) { return {count, 1}; }

  /// Of one context after the other.
  executor next() { return contexts_[turn_++ % contexts_.size()].get_executor(); }

  void start(executor on, awaitable<void> task) {
    asio::co_spawn(on, std::move(task), [](std::exception_ptr failure) {
      if (failure) std::rethrow_exception(failure);
    });
  }

  /// Returns the seconds it takes until nothing is left to run.
  double run() {
    double begin = seconds_now();
    std::vector<std::jthread> threads;
    for (auto& context : contexts_) {
      for (std::size_t i = 0; i < threads_each_; ++i) {
        threads.emplace_back([&context] { context.run(); });
      }
    }
    threads.clear();
    return seconds_now() - begin;
  }

  void stop() {
    for (auto& context : contexts_) context.stop();
  }

private:
  worker_threads(std::size_t contexts, std::size_t threads_each) : threads_each_{threads_each} {
    for (std::size_t i = 0; i < contexts; ++i)
      contexts_.emplace_back(static_cast<int>(threads_each));
  }

  std::deque<asio::io_context> contexts_;
  std::size_t threads_each_;
  std::size_t turn_ = 0;
};

inline std::vector<figure> rate(std::string_view name, std::string_view unit, std::size_t count,
                                double seconds) {
  return {{name, unit, static_cast<double>(count) / seconds}};
}

}  // namespace asio_bench
