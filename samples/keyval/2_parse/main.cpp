// Step 2 of keyval: what comes is read as requests, and answered in RESP.

#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

#include <fmt/core.h>

#include <actors/listener.hpp>
#include <troupe/net/tcp.hpp>
#include <troupe/runtime/run.hpp>

#include "../../options.hpp"
#include "../2_parse/conversation.hpp"

namespace {

class session final : public keyval::conversation {
public:
  explicit session(troupe::io::stream peer) : conversation{std::move(peer)} {}

private:
  troupe::task<> answer(keyval::words asked) override {
    if (asked[0] == "PING" && asked.size() == 1) {
      out_.status("PONG");
    } else if (asked[0] == "ECHO" && asked.size() == 2) {
      out_.bulk(asked[1]);
    } else {
      out_.error("ERR unknown command '" + std::string{asked[0]} + "'");
    }
    co_return;
  }
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
