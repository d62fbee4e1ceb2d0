// A coordinator owns a connection and measures its round-trip time for all who ask for it.

#include <array>
#include <chrono>
#include <utility>

#include <fmt/chrono.h>

#include <troupe/io/framing.hpp>
#include <troupe/net/tcp.hpp>
#include <troupe/runtime/run.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sync/mpsc.hpp>
#include <troupe/sync/oneshot.hpp>
#include <troupe/task/spawn.hpp>

#include "../options.hpp"

namespace {

// A request is nothing but the place where its answer goes.
using message = troupe::oneshot_sender<troupe::duration>;

class transport {
public:
  explicit transport(troupe::io::stream peer) : peer_{std::move(peer)} {}

  troupe::task<> send_ping() { co_await peer_.write_all("ping\n"); }

  troupe::task<> recv_pong() {
    std::array<char, 5> pong{};
    co_await peer_.read_exactly(pong);
  }

private:
  troupe::io::stream peer_;
};

// The other end of the transport: answers at most `pongs` pings, then closes the connection.
troupe::task<> peer_task(troupe::io::listener listener, int pongs) {
  troupe::io::stream socket = co_await listener.accept();
  troupe::io::line_reader pings{socket};
  while (pongs-- > 0 && co_await pings.next_line()) co_await socket.write_all("pong\n");
}

troupe::task<> coordinator_task(transport peer, troupe::receiver<message> requests) {
  // One ping at a time: the next request waits in the channel.
  while (auto pong_tx = co_await requests.recv()) {
    try {
      auto start = troupe::now();
      co_await peer.send_ping();
      co_await peer.recv_pong();
      pong_tx->send(troupe::now() - start);  // Comes back if the requester is gone: no matter.
    } catch (const troupe::system_error& error) {
      fmt::print("transport error = {}\n", error.code().message());
    }
  }  // A sender dropped unsent tells its requester so.
}

// Asks for one round-trip time. Returns it, and the sender for the next request.
troupe::task<std::pair<troupe::duration, troupe::sender<message>>> rtt(troupe::sender<message> tx) {
  auto [pong_tx, pong_rx] = troupe::oneshot<troupe::duration>();
  co_await tx.send(std::move(pong_tx));
  troupe::duration duration = co_await pong_rx;
  co_return std::pair{duration, std::move(tx)};
}

troupe::task<> print_rtt(troupe::sender<message> tx) {
  try {
    auto answer = co_await rtt(std::move(tx));
    std::chrono::duration<double, std::micro> duration{answer.first};
    fmt::print("duration = {:.1}\n", duration);
  } catch (const troupe::system_error& error) {
    fmt::print("error = {}\n", error.code().message());
  }
}

// Asks, and does not wait for the answer.
troupe::task<> ask_and_leave(troupe::sender<message> tx) {
  auto [pong_tx, pong_rx] = troupe::oneshot<troupe::duration>();
  {
    auto dropped = std::move(pong_rx);
  }
  co_await tx.send(std::move(pong_tx));
}

troupe::task<> main_task(int pongs, bool one_leaves) {
  troupe::io::listener listener = troupe::net::tcp_listen("127.0.0.1", 0);
  auto port = listener.port();
  troupe::spawn(peer_task, std::move(listener), pongs);
  transport peer{co_await troupe::net::tcp_connect("127.0.0.1", port)};

  auto [tx, rx] = troupe::mpsc<message>(1024);
  troupe::spawn(coordinator_task, std::move(peer), std::move(rx));
  if (one_leaves) troupe::spawn(ask_and_leave, tx);
  for (int i = 0; i < 4; ++i) troupe::spawn(print_rtt, tx);
}  // The coordinator ends when the last of the senders is gone.

}  // namespace

int main(int argc, char** argv) {
  samples::options options{argc, argv};
  bool one_leaves = options.flag("--one-leaves");
  int pongs = options.number("--pongs", 1000, 0, 1000);
  options.end();
  return troupe::run(main_task, pongs, one_leaves);
}
