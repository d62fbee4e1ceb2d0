#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include <troupe/io/framing.hpp>
#include <troupe/net/tcp.hpp>
#include <troupe/pal/clock.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/task/task.hpp>

/// What the clients of the service in the reliability runs have in common.
namespace reliability {

/// One line on stdout, seen at once.
inline void say(const std::string& line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

inline double seconds_since(troupe::time_point begin) {
  return std::chrono::duration<double>{troupe::now() - begin}.count();
}

/// A connection that has read its greeting.
class peer {
public:
  explicit peer(troupe::io::stream to) : stream_{std::move(to)}, lines_{stream_} {}

  /// Errors: runtime_error when there is no greeting; what a connection fails with.
  static troupe::task<std::unique_ptr<peer>> greeted(std::uint16_t port) {
    auto made = std::make_unique<peer>(co_await troupe::net::tcp_connect("127.0.0.1", port));
    auto greeting = co_await made->lines_.next_line();
    if (!greeting) throw std::runtime_error{"the service closed instead of greeting"};
    made->greeting_ = std::move(*greeting);
    co_return made;
  }

  /// Returns: the answer; `closed` when there is none.
  troupe::task<std::string> ask(std::string request) {
    co_await stream_.write_all(request);
    auto answer = co_await lines_.next_line();
    co_return answer.value_or("closed");
  }

  [[nodiscard]] const std::string& greeting() const noexcept { return greeting_; }
  troupe::io::stream& stream() noexcept { return stream_; }
  troupe::io::line_reader& lines() noexcept { return lines_; }

private:
  troupe::io::stream stream_;
  troupe::io::line_reader lines_;
  std::string greeting_;
};

/// What was seen of the answers to `echo`.
struct measured {
  std::vector<double> latencies_us;
  std::uint64_t wrong = 0;

  [[nodiscard]] double percentile(double share) {
    if (latencies_us.empty()) return 0;
    auto rank = static_cast<std::size_t>(share * static_cast<double>(latencies_us.size() - 1));
    auto at = latencies_us.begin() + static_cast<std::ptrdiff_t>(rank);
    std::nth_element(latencies_us.begin(), at, latencies_us.end());
    return *at;
  }
};

/// Asks again and again, with a pause before each request.
inline troupe::task<> ask_on(peer& p, troupe::duration pause, troupe::time_point until,
                             measured& into) {
  const std::string request = "echo still here\n";
  while (troupe::now() < until) {
    co_await troupe::sleep_for(pause);
    troupe::time_point begin = troupe::now();
    std::string answer = co_await p.ask(request);
    into.latencies_us.push_back(seconds_since(begin) * 1e6);
    if (answer != "still here") {
      ++into.wrong;
      co_return;
    }
  }
}

}  // namespace reliability
