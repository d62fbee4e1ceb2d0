// A coordinator actor owns a connection and measures its round-trip time for all who ask for it.

#include <fmt/chrono.h>
#include <actors/coordinator.hpp>
#include <troupe/io/framing.hpp>
#include <troupe/net/tcp.hpp>
#include <troupe/runtime/run.hpp>

#include "../options.hpp"

namespace {
struct ping {};
struct transport {
  troupe::io::stream peer;
  troupe::task<troupe::duration> serve(ping) {
    auto start = troupe::now();
    co_await peer.write_all("ping\n");
    std::array<char, 5> pong{};
    co_await peer.read_exactly(pong);
    co_return troupe::now() - start;
  }
};
using coordinator = troupe::actors::coordinator<transport, ping>;

// The other end of the transport: answers at most `pongs` pings, then closes the connection.
troupe::task<> peer_task(troupe::io::listener listener, int pongs) {
  troupe::io::stream socket = co_await listener.accept();
  troupe::io::line_reader pings{socket};
  while (pongs-- > 0 && co_await pings.next_line()) co_await socket.write_all("pong\n");
}

troupe::task<> print_rtt(troupe::ref<coordinator> line) {
  troupe::result<troupe::duration> rtt = co_await line.ask(ping{});
  if (!rtt) co_return fmt::print("error = {}\n", rtt.error().message());
  fmt::print("duration = {:.1}\n", std::chrono::duration<double, std::micro>{*rtt});
}

troupe::task<> main_task(int pongs, bool one_leaves) {
  troupe::io::listener listener = troupe::net::tcp_listen("127.0.0.1", 0);
  auto dial = [port = listener.port()]() -> troupe::task<transport> {
    auto peer = co_await troupe::net::tcp_connect("127.0.0.1", port);
    co_return transport{std::move(peer)};
  };
  troupe::spawn(peer_task, std::move(listener), pongs);
  auto complain = [](auto error) { fmt::print("transport error = {}\n", error.message()); };
  auto line = troupe::spawn<coordinator>(dial, complain);
  if (one_leaves) co_await line.send(ping{});  // Asks, and does not wait for the answer.
  for (int i = 0; i < 4; ++i) troupe::spawn(print_rtt, line);
}  // The coordinator ends when the last of the refs is gone.

}  // namespace

int main(int argc, char** argv) {
  samples::options options{argc, argv};
  bool one_leaves = options.flag("--one-leaves");
  int pongs = options.number("--pongs", 1000, 0, 1000);
  options.end();
  return troupe::run(main_task, pongs, one_leaves);
}
