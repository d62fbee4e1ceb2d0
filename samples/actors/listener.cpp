// A listener actor that gives every connection an actor of its own, which sends "hello world".

#include <cstdint>
#include <cstdio>
#include <utility>

#include <fmt/core.h>

#include <actors/listener.hpp>
#include <troupe/net/tcp.hpp>
#include <troupe/runtime/run.hpp>

#include "../options.hpp"

namespace {

class hello : public troupe::actor {
public:
  explicit hello(troupe::io::stream peer) : peer_{std::move(peer)} {}

  troupe::task<> on_start() {
    try {
      co_await peer_.write_all("hello world");
    } catch (const troupe::system_error& error) {
      fmt::print("socket error = {}\n", error.code().message());  // Its own alone.
    }
  }  // Nobody holds a ref to it: it ends here, and closes the socket.

private:
  troupe::io::stream peer_;
};

troupe::task<int> main_task(std::uint16_t port) {
  try {
    troupe::io::listener source = troupe::net::tcp_listen("127.0.0.1", port);
    fmt::print("listening on {}\n", source.local_address());

    auto make = [](troupe::io::stream peer) { return troupe::spawn<hello>(std::move(peer)); };
    troupe::actors::listener_options options;
    options.on_error = [](auto error) { fmt::print("listener error = {}\n", error.message()); };
    // It lives on after main. Ctrl-C ends it; connections that were accepted go on to their end.
    troupe::spawn<troupe::actors::listener>(std::move(source), make, options);
  } catch (const troupe::system_error& error) {
    fmt::print("listener error = {}\n", error.what());
    co_return 1;
  }
  co_return 0;
}

}  // namespace

int main(int argc, char** argv) {
  samples::options options{argc, argv};
  auto port = options.number<std::uint16_t>("--port", 0, 0, 65535);  // 0: any free one.
  options.end();
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // Each line is seen at once, also through a pipe.
  return troupe::run(main_task, port);
}
