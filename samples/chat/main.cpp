// Chat rooms over TCP, each one a topic; without --serve a few scripted guests show them.

#include <cstdint>
#include <cstdio>
#include <utility>

#include <fmt/core.h>

#include <troupe/actor/undelivered.hpp>
#include <troupe/net/tcp.hpp>
#include <troupe/runtime/run.hpp>

#include "../options.hpp"
#include "demo.hpp"
#include "guest.hpp"

namespace {

// Then: nc 127.0.0.1 PORT
troupe::task<int> serve(std::uint16_t port) {
  try {
    troupe::io::listener source = troupe::net::tcp_listen("127.0.0.1", port);
    fmt::print("listening on {}\n", source.local_address());
    // It lives on after main, until Ctrl-C.
    (void)chat::open(std::move(source), troupe::spawn<chat::hall>());
  } catch (const troupe::system_error& error) {
    fmt::print("chat: {}\n", error.what());
    co_return 1;
  }
  co_return 0;
}

}  // namespace

int main(int argc, char** argv) {
  samples::options options{argc, argv};
  bool serves = options.flag("--serve");
  auto port = options.number<std::uint16_t>("--port", 0, 0, 65535);  // 0: any free one.
  options.end();
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // Each line is seen at once, also through a pipe.
  // A guest that was too slow does not hear what its mailbox held: the others are told, not the
  // log.
  troupe::set_undelivered_sink([](const troupe::undelivered&) {});
  if (serves) return troupe::run(serve, port);
  return troupe::run(chat::run_demo);
}
