// The TLS echo server of the benchmark, with Boost.Asio: asio_tls_echo CERTIFICATE KEY.
//
// What makes it the best that Asio gives a server of one thread: one io_context told so (1, which
// spares its signals to other threads), coroutines by awaitable<> as its own examples have them, a
// buffer of 16 KiB for each connection, which takes a whole record, results as tuples in place of
// exceptions, and async_write, which ssl::stream does record by record. ssl::stream sets
// SSL_MODE_RELEASE_BUFFERS itself, as troupe does. Both servers leave versions, ciphers and tickets
// to OpenSSL, so that the load agrees with both on the same cipher.
#include <array>
#include <csignal>
#include <cstdio>
#include <tuple>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

namespace {

constexpr auto outcome = asio::as_tuple(asio::use_awaitable);

asio::awaitable<void> echo(tcp::socket peer, asio::ssl::context& with) {
  peer.set_option(tcp::no_delay{true});
  asio::ssl::stream<tcp::socket> stream{std::move(peer), with};
  auto [refused] = co_await stream.async_handshake(asio::ssl::stream_base::server, outcome);
  if (refused) co_return;
  std::array<char, 16 * 1024> buffer;
  for (;;) {
    auto [ended, count] = co_await stream.async_read_some(asio::buffer(buffer), outcome);
    if (ended) co_return;
    auto [broken, written] =
        co_await asio::async_write(stream, asio::buffer(buffer, count), outcome);
    if (broken) co_return;
  }
}

asio::awaitable<void> listen(tcp::acceptor& from, asio::ssl::context& with) {
  for (;;) {
    tcp::socket peer = co_await from.async_accept(asio::use_awaitable);
    asio::co_spawn(from.get_executor(), echo(std::move(peer), with), asio::detached);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: asio_tls_echo CERTIFICATE KEY\n", stderr);
    return 2;
  }
  asio::ssl::context with{asio::ssl::context::tls_server};
  with.use_certificate_chain_file(argv[1]);
  with.use_private_key_file(argv[2], asio::ssl::context::pem);
  asio::io_context context{1};
  tcp::acceptor acceptor{context, {asio::ip::address_v4::loopback(), 0}};
  std::printf("listening on 127.0.0.1:%d\n", static_cast<int>(acceptor.local_endpoint().port()));
  std::fflush(stdout);
  asio::co_spawn(context, listen(acceptor, with), asio::detached);
  context.run();
}
