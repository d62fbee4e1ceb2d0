// A listener that sends "hello world" to every connection, each in a task of its own.

#include <cstdint>
#include <cstdio>
#include <utility>

#include <fmt/core.h>

#include <troupe/net/tcp.hpp>
#include <troupe/runtime/run.hpp>
#include <troupe/task/spawn.hpp>

#include "../options.hpp"

namespace {

troupe::task<> say_hello(troupe::io::stream socket) {
  try {
    co_await socket.write_all("hello world");
  } catch (const troupe::system_error& error) {
    fmt::print("socket error = {}\n",
               error.code().message());  // It concerns this connection alone.
  }
}  // The socket is closed here.

troupe::task<int> main_task(std::uint16_t port) {
  try {
    troupe::io::listener listener = troupe::net::tcp_listen("127.0.0.1", port);
    fmt::print("listening on {}\n", listener.local_address());

    // Ctrl-C ends this loop; connections that were accepted go on to their end.
    for (;;) {
      auto socket = co_await listener.accept().as_result();
      if (socket) {
        troupe::spawn(say_hello, std::move(*socket));
      } else {
        fmt::print("listener error = {}\n", socket.error().message());
      }
    }
  } catch (const troupe::system_error& error) {
    fmt::print("listener error = {}\n", error.what());
    co_return 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  samples::options options{argc, argv};
  auto port = options.number<std::uint16_t>("--port", 0, 0, 65535);  // 0: any free one.
  options.end();
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // Each line is seen at once, also through a pipe.
  return troupe::run(main_task, port);
}
