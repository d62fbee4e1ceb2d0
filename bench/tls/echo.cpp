// The TLS echo server of the benchmark: troupe_tls_bench CERTIFICATE KEY. One worker.

#include <array>
#include <cstddef>
#include <cstdio>
#include <span>
#include <string>

#include <fmt/format.h>

#include <troupe/base/log.hpp>
#include <troupe/net/tcp.hpp>
#include <troupe/runtime/run.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/tls/tls.hpp>

namespace {

troupe::task<> echo(troupe::io::stream plain, troupe::tls::context with) {
  std::array<std::byte, std::size_t{16} * 1024> buffer;
  try {
    troupe::io::stream peer = co_await troupe::tls::accept(std::move(plain), with);
    while (std::size_t count = co_await peer.read_some(buffer)) {
      co_await peer.write_all(std::span{buffer}.first(count));
    }
  } catch (const troupe::system_error& error) {
    // The load generator counts broken connections.
    troupe::log(troupe::log_level::info, error.what());
  }
}

troupe::task<> listen(troupe::tls::context with) {
  troupe::io::listener listener = troupe::net::tcp_listen("127.0.0.1", 0);
  fmt::print("listening on {}\n", listener.local_address());
  std::fflush(stdout);
  for (;;) troupe::spawn(echo, co_await listener.accept(), with);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: troupe_tls_bench CERTIFICATE KEY\n");
    return 2;
  }
  troupe::tls::server_config wanted;
  wanted.self.certificate_chain = troupe::tls::pem::file(argv[1]);
  wanted.self.private_key = troupe::tls::pem::file(argv[2]);
  troupe::runtime_config config;
  config.workers = 1;
  return troupe::run(config, listen, troupe::tls::context{wanted});
}
