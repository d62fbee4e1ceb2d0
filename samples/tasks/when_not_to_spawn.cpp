// One echo service, with one task for each connection and with two, measured side by side.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include <troupe/io/framing.hpp>
#include <troupe/net/tcp.hpp>
#include <troupe/runtime/run.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sync/mpsc.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/when_all.hpp>

#include "../options.hpp"

namespace {

// One task reads and writes.
troupe::task<> serve_with_one(troupe::io::stream socket) {
  troupe::io::line_reader lines{socket};
  while (auto line = co_await lines.next_line()) {
    *line += '\n';
    co_await socket.write_all(*line);
  }
}

// Two tasks: one reads, the other writes what comes through a channel.
troupe::task<> read_lines(troupe::io::stream& socket, troupe::sender<std::string> out) {
  troupe::io::line_reader lines{socket};
  while (auto line = co_await lines.next_line()) {
    *line += '\n';
    co_await out.send(std::move(*line));
  }
}

troupe::task<> write_lines(troupe::io::stream& socket, troupe::receiver<std::string> in) {
  while (auto line = co_await in.recv()) co_await socket.write_all(*line);
}

troupe::task<> serve_with_two(troupe::io::stream socket) {
  auto [tx, rx] = troupe::mpsc<std::string>(1024);
  co_await troupe::when_all(read_lines(socket, std::move(tx)), write_lines(socket, std::move(rx)));
}

using server = troupe::task<> (*)(troupe::io::stream);

// Sends lines over a new connection, each after the answer to the one before, and notes how long
// each answer took.
troupe::task<> measure(server serve, int request_count, std::vector<troupe::duration>& times) {
  troupe::io::listener listener = troupe::net::tcp_listen("127.0.0.1", 0);
  troupe::io::stream socket = co_await troupe::net::tcp_connect("127.0.0.1", listener.port());
  troupe::io::stream accepted = co_await listener.accept();
  troupe::spawn(serve, std::move(accepted));

  troupe::io::line_reader answers{socket};
  for (int i = 0; i < request_count; ++i) {
    auto start = troupe::now();
    co_await socket.write_all("echo this line\n");
    co_await answers.next_line();
    times.push_back(troupe::now() - start);
  }
}

void print_figures(std::string_view name, std::vector<troupe::duration>& times) {
  std::chrono::duration<double> total =
      std::accumulate(times.begin(), times.end(), troupe::duration{});
  auto p99 = times.begin() + static_cast<std::ptrdiff_t>(times.size() * 99 / 100);
  std::nth_element(times.begin(), p99, times.end());
  std::chrono::duration<double, std::micro> p99_us = *p99;
  fmt::print("{}: {:6.0f} requests/s, p99 {:5.1f} us\n", name,
             static_cast<double>(times.size()) / total.count(), p99_us.count());
}

troupe::task<> main_task(int request_count) {
  constexpr int rounds = 20;  // In turns, so that both meet the same disturbances.
  std::vector<troupe::duration> with_one, with_two;
  for (int round = 0; round < rounds; ++round) {
    co_await measure(serve_with_one, request_count / rounds, with_one);
    co_await measure(serve_with_two, request_count / rounds, with_two);
  }
  print_figures("one task ", with_one);
  print_figures("two tasks", with_two);
  fmt::print(
      "A connection's next line comes only after its answer, so the two tasks never work at "
      "the same time: the second adds a channel and a wake-up for each line, and no speed.\n");
}

}  // namespace

int main(int argc, char** argv) {
  samples::options options{argc, argv};
  int request_count = options.number("--requests", 40'000, 100, 10'000'000);
  options.end();
  return troupe::run(main_task, request_count);
}
