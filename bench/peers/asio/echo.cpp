// The echo server.
#include <array>
#include <cstdio>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include "works.hpp"

namespace asio_bench {

namespace {

using tcp = asio::ip::tcp;
using acceptor = asio::basic_socket_acceptor<tcp, executor>;
using socket = asio::basic_stream_socket<tcp, executor>;

awaitable<void> echo(socket peer) {
  peer.set_option(tcp::no_delay{true});
  std::array<char, 4096> buffer;
  for (;;) {
    auto [ended, count] = co_await peer.async_read_some(asio::buffer(buffer), outcome);
    if (ended) co_return;
    auto [broken, written] = co_await asio::async_write(peer, asio::buffer(buffer, count), outcome);
    if (broken) co_return;
  }
}

awaitable<void> listen(acceptor& from, worker_threads& all) {
  for (;;) {
    executor on = all.next();
    auto [refused, peer] = co_await from.async_accept(on, outcome);
    // A connection reset in the backlog is no reason to stop serving the others.
    if (!refused) asio::co_spawn(on, echo(std::move(peer)), asio::detached);
  }
}

}  // namespace

// Fair: the loop of Asio's own echo example, a coroutine per connection, results as tuples in place
// of exceptions, one context, and no answer delayed by Nagle's algorithm. SIGTERM's default action
// ends it.
void serve_echo(const settings& given) {
  auto all = worker_threads::together(given.workers);
  acceptor from{all.next(), {asio::ip::address_v4::loopback(), 0}};
  std::printf("listening on 127.0.0.1:%d\n", static_cast<int>(from.local_endpoint().port()));
  std::fflush(stdout);
  all.start(all.next(), listen(from, all));
  all.run();
}

}  // namespace asio_bench
