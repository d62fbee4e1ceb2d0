#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <span>

#include <troupe/base/log.hpp>
#include <troupe/net/tcp.hpp>
#include <troupe/runtime/run.hpp>
#include <troupe/task/spawn.hpp>

#include "works.hpp"

namespace troupe::bench {

namespace {

task<> echo(io::stream peer) {
  std::array<std::byte, 4096> buffer;
  try {
    while (std::size_t count = co_await peer.read_some(buffer)) {
      co_await peer.write_all(std::span{buffer}.first(count));
    }
  } catch (const system_error& error) {
    log(log_level::info, error.what());  // The load generator counts broken connections.
  }
}

task<> listen() {
  io::listener listener = net::tcp_listen("127.0.0.1", 0);
  fmt::print("listening on {}\n", listener.local_address());
  std::fflush(stdout);
  for (;;) spawn(echo, co_await listener.accept());
}

}  // namespace

int serve_echo(const settings& given) {
  runtime_config config;
  config.workers = given.workers;
  return run(config, listen);
}

}  // namespace troupe::bench
