// Step 3 of keyval: the values are an actor's.

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

#include <fmt/core.h>

#include <actors/listener.hpp>
#include <troupe/net/tcp.hpp>
#include <troupe/runtime/run.hpp>

#include "../../options.hpp"
#include "../2_parse/conversation.hpp"
#include "../3_store/table.hpp"

namespace {

// What a session asks of the store. Its answer is what the handler returns.
struct get {
  std::string key;
};
struct set {
  std::string key, text;
};
struct del {
  std::string key;
};

/// Has all keys. Messages come one at a time: it needs no lock.
class store final : public troupe::actor {
public:
  std::optional<std::string> on(const get& m) {
    auto at = values_.find<std::string>(m.key);
    if (at.found == nullptr) return std::nullopt;
    return *at.found;
  }
  bool on(const set& m) {
    values_.set_text(m.key, m.text);
    return true;
  }
  bool on(const del& m) { return values_.erase(m.key); }

private:
  keyval::table values_;
};

class session final : public keyval::conversation {
public:
  session(troupe::io::stream peer, troupe::ref<store> values)
      : conversation{std::move(peer)}, values_{std::move(values)} {}

private:
  troupe::task<> answer(keyval::words asked) override {
    if (asked[0] == "GET" && asked.size() == 2) {
      auto text = co_await values_.ask<get>(std::string{asked[1]});
      text ? out_.bulk(*text) : out_.null();
    } else if (asked[0] == "SET" && asked.size() == 3) {
      co_await values_.ask<set>(std::string{asked[1]}, std::string{asked[2]});
      out_.status("OK");
    } else if (asked[0] == "DEL" && asked.size() == 2) {
      bool was_there = co_await values_.ask<del>(std::string{asked[1]});
      out_.number(was_there ? 1 : 0);
    } else {
      out_.error("ERR unknown command '" + std::string{asked[0]} + "'");
    }
  }

  troupe::ref<store> values_;
};

troupe::task<> serve(std::uint16_t port) {
  troupe::io::listener source = troupe::net::tcp_listen("127.0.0.1", port);
  fmt::print("listening on {}\n", source.local_address());
  auto values = troupe::spawn<store>();
  auto make = [values](troupe::io::stream peer) {
    return troupe::spawn<session>(std::move(peer), values);
  };
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
