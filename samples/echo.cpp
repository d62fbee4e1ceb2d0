// The README's TCP server: every connection gets back what it sends.
#include <array>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include <fmt/core.h>
#include <troupe/net/tcp.hpp>
#include <troupe/runtime/run.hpp>
#include <troupe/task/spawn.hpp>

troupe::task<> echo(troupe::io::stream peer) {
  std::array<char, 4096> buffer;
  while (std::size_t count = co_await peer.read_some(buffer)) {
    co_await peer.write_all(std::string_view{buffer.data(), count});
  }
}

troupe::task<> serve(std::uint16_t port) {
  troupe::io::listener listener = troupe::net::tcp_listen("127.0.0.1", port);
  fmt::print("listening on {}\n", listener.local_address());
  for (;;) troupe::spawn(echo, co_await listener.accept());
}

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // Each line is seen at once, also through a pipe.
  return troupe::run(serve, static_cast<std::uint16_t>(argc > 1 ? std::stoi(argv[1]) : 7000));
}
