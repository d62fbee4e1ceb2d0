// One background task adds up the lengths of all connections and prints the sum at every tick.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <utility>
#include <variant>

#include <fmt/core.h>

#include <troupe/net/tcp.hpp>
#include <troupe/runtime/run.hpp>
#include <troupe/sync/merge.hpp>
#include <troupe/sync/mpsc.hpp>
#include <troupe/task/spawn.hpp>

#include "../options.hpp"

namespace {

troupe::task<> background_task(troupe::receiver<std::uint64_t> lengths, troupe::duration period) {
  std::uint64_t bytes_read = 0;
  try {
    // Values and ticks as one sequence. It ends with the channel, that is when the last sender is
    // gone, although the interval would go on for ever.
    auto items = troupe::merge(lengths, troupe::interval{period});
    for (;;) {
      auto item = co_await items.next();
      if (std::holds_alternative<troupe::done>(item)) break;
      if (auto* length = std::get_if<std::uint64_t>(&item)) {
        bytes_read += *length;
      } else {
        fmt::print("bytes read = {}\n", std::exchange(bytes_read, 0));
      }
    }
  } catch (const troupe::canceled&) {
    // Connections that would not end have used up the time for stopping.
    while (auto length = lengths.try_recv()) bytes_read += *length;
  }
  fmt::print("bytes read = {}\n", bytes_read);  // What is left at the end; the guide drops it.
}

troupe::task<> count_connection(troupe::io::stream socket, troupe::sender<std::uint64_t> lengths) {
  try {
    // Only a connection that was read to its end counts, and it counts once.
    std::uint64_t length = co_await socket.discard_to_end();
    co_await lengths.send(length);
  } catch (const troupe::system_error& error) {
    fmt::print("socket error = {}\n", error.code().message());
  }
}

troupe::task<int> main_task(std::uint16_t port, troupe::duration period) {
  try {
    troupe::io::listener listener = troupe::net::tcp_listen("127.0.0.1", port);
    fmt::print("listening on {}\n", listener.local_address());

    auto [tx, rx] = troupe::mpsc<std::uint64_t>(1024);
    troupe::spawn(background_task, std::move(rx), period);

    for (;;) {
      auto socket = co_await listener.accept().as_result();
      if (socket) {
        troupe::spawn(count_connection, std::move(*socket),
                      tx);  // With its own copy of the sender.
      } else {
        fmt::print("listener error = {}\n", socket.error().message());
      }
    }
  } catch (const troupe::system_error& error) {
    fmt::print("listener error = {}\n", error.what());
    co_return 1;
  }
}  // Main's own sender is gone by now; those of open connections keep the background task going.

}  // namespace

int main(int argc, char** argv) {
  samples::options options{argc, argv};
  auto port = options.number<std::uint16_t>("--port", 0, 0, 65535);  // 0: any free one.
  std::chrono::duration<double> period{options.number("--interval", 30.0, 0.001, 86400.0)};
  options.end();
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // Each line is seen at once, also through a pipe.
  return troupe::run(main_task, port, std::chrono::duration_cast<troupe::duration>(period));
}
