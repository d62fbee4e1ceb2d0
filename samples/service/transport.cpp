#include "transport.hpp"

#include <array>
#include <chrono>
#include <utility>

#include <troupe/net/tcp.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/task/spawn.hpp>

namespace service {

namespace {

constexpr auto max_time = std::chrono::seconds{1};

troupe::task<> answer_pings_of(troupe::io::stream from) {
  try {
    std::array<char, 5> ping{};
    for (;;) {
      co_await from.read_exactly(ping);
      co_await from.write_all("pong\n");
    }
  } catch (const troupe::system_error&) {
    // The other end is gone; it makes a new connection when it needs one.
  }
}

}  // namespace

troupe::task<> wire::on(ping, troupe::reply<round_trip> back) {
  try {
    troupe::duration time = co_await troupe::timeout(max_time, exchange());
    back.answer({.time = time});
  } catch (const troupe::system_error& error) {
    back.fail(troupe::ask_errc::receiver_failed, error.what());
  }
}

troupe::task<troupe::duration> wire::exchange() {
  std::array<char, 5> pong{};
  troupe::time_point start = troupe::now();
  co_await peer_.write_all("ping\n");
  co_await peer_.read_exactly(pong);
  co_return troupe::now() - start;
}

troupe::task<troupe::ref<wire>> dial(std::uint16_t peer_port) {
  troupe::io::stream peer =
      co_await troupe::timeout(max_time, troupe::net::tcp_connect("127.0.0.1", peer_port));
  co_return troupe::spawn<wire>(std::move(peer));
}

troupe::task<> answer_pings(troupe::io::listener listener) {
  for (;;) {
    auto accepted = co_await listener.accept().as_result();
    if (accepted) troupe::spawn(answer_pings_of, std::move(*accepted));
  }
}

}  // namespace service
