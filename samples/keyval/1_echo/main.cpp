// Step 1 of keyval: a server over TCP; what a peer sends comes back.

#include <array>
#include <cstdint>
#include <cstdio>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include <actors/listener.hpp>
#include <troupe/net/tcp.hpp>
#include <troupe/runtime/run.hpp>

#include "../../options.hpp"

namespace {

class session final : public troupe::actor {
public:
  explicit session(troupe::io::stream peer) : peer_{std::move(peer)} {}

  // As a side task: a stop ends it wherever it waits.
  void on_start() {
    self().spawn([this] { return converse(); });
  }

private:
  troupe::task<> converse() {
    try {
      std::array<char, 4096> buffer{};
      while (std::size_t count = co_await peer_.read_some(buffer)) {
        co_await peer_.write_all(std::string_view{buffer.data(), count});
      }
    } catch (const troupe::canceled&) {
      throw;  // It was stopped.
    } catch (const troupe::system_error&) {
      // The peer has broken off.
    }
    self().stop();
  }

  troupe::io::stream peer_;
};

troupe::task<> serve(std::uint16_t port) {
  troupe::io::listener source = troupe::net::tcp_listen("127.0.0.1", port);
  fmt::print("listening on {}\n", source.local_address());
  auto make = [](troupe::io::stream peer) { return troupe::spawn<session>(std::move(peer)); };
  // It lives on after main, until Ctrl-C.
  (void)troupe::spawn<troupe::actors::listener>(std::move(source), make);
  co_return;
}

}  // namespace

int main(int argc, char** argv) {
  samples::options options{argc, argv};
  auto port = options.number<std::uint16_t>("--port", 0, 0, 65535);  // 0: any free one.
  options.end();
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // Each line is seen at once, also through a pipe.
  return troupe::run(serve, port);
}
