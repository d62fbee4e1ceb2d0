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
#include "../2_parse/answers.hpp"
#include "../2_parse/requests.hpp"

namespace {

class session final : public troupe::actor {
public:
  explicit session(troupe::io::stream peer) : peer_{std::move(peer)} {}

  void on_start() {
    self().spawn([this] { return converse(); });
  }

private:
  troupe::task<> converse() {
    try {
      for (bool is_over = false; !is_over;) {
        std::size_t count = co_await peer_.read_some(asked_.room());
        asked_.took(count);
        co_await answer_all();
        co_await peer_.write_all(out_.bytes);
        out_.bytes.clear();
        is_over = count == 0 || !asked_.complaint().empty();
      }
    } catch (const troupe::canceled&) {
      throw;  // It was stopped.
    } catch (const troupe::system_error&) {
      // The peer has broken off.
    }
    self().stop();
  }

  // All that has come with one read is answered with one write.
  troupe::task<> answer_all() {
    for (;;) {
      switch (asked_.next()) {
        case keyval::requests::found::nothing:
          co_return;
        case keyval::requests::found::garbage:
          co_return out_.error(asked_.complaint());
        case keyval::requests::found::request:
          co_await answer(asked_.request());
      }
    }
  }

  troupe::task<> answer(keyval::words asked) {
    if (asked[0] == "PING" && asked.size() == 1) {
      out_.status("PONG");
    } else if (asked[0] == "ECHO" && asked.size() == 2) {
      out_.bulk(asked[1]);
    } else {
      out_.error("ERR unknown command '" + std::string{asked[0]} + "'");
    }
    co_return;
  }

  troupe::io::stream peer_;
  keyval::requests asked_;
  keyval::answers out_;
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
