// Step 4 of keyval: a pool of stores, each with a part of the keys; keys that are over go.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include <actors/listener.hpp>
#include <actors/pool.hpp>
#include <troupe/net/tcp.hpp>
#include <troupe/runtime/run.hpp>

#include "../../options.hpp"
#include "../2_parse/conversation.hpp"
#include "../2_parse/numbers.hpp"
#include "../3_store/table.hpp"
#include "../4_shards/expiries.hpp"

namespace {

// Which store of the pool a message goes to is a matter of its key.
struct by_key {
  std::string_view operator()(const auto& m) const { return m.key; }
};

struct get {
  std::string key;
};
struct set {
  std::string key, text;
  std::optional<std::chrono::milliseconds> lasts;
};
struct del {
  std::string key;
};

keyval::unix_ms now() {
  auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

/// Has a part of the keys.
class store final : public troupe::actor {
public:
  /// Is sent by its own timer when a key is over.
  struct sweep {};

  std::optional<std::string> on(const get& m) {
    drop_what_is_over();
    auto at = values_.find<std::string>(m.key);
    if (at.found == nullptr) return std::nullopt;
    return *at.found;
  }
  bool on(const set& m) {
    values_.set_text(m.key, m.text);
    times_.forget(m.key);
    if (!m.lasts) return true;
    times_.set(m.key, now() + m.lasts->count());
    wake_for_first();
    return true;
  }
  bool on(const del& m) {
    drop_what_is_over();
    times_.forget(m.key);
    return values_.erase(m.key);
  }
  void on(sweep) {
    drop_what_is_over();
    wake_for_first();
  }

private:
  void drop_what_is_over() {
    while (!times_.is_empty() && times_.first().first <= now()) {
      std::string key = times_.first().second;
      times_.forget(key);
      values_.erase(key);
    }
  }
  void wake_for_first() {
    timer_.cancel();
    if (times_.is_empty()) return;
    std::chrono::milliseconds wait{times_.first().first - now()};
    timer_ = self(this).send_after(wait + std::chrono::milliseconds{1}, sweep{});
  }

  keyval::table values_;
  keyval::expiries times_;
  troupe::actor_timer timer_;
};

using stores = troupe::actors::pool<store, troupe::actors::consistent_hash<by_key>>;

class session final : public keyval::conversation {
public:
  session(troupe::io::stream peer, stores values)
      : conversation{std::move(peer)}, values_{std::move(values)} {}

private:
  troupe::task<> answer(keyval::words asked) override {
    if (asked[0] == "GET" && asked.size() == 2) {
      get m{std::string{asked[1]}};
      auto text = co_await values_.ask(troupe::take(m));
      text ? out_.bulk(*text) : out_.null();
    } else if (asked[0] == "SET" && (asked.size() == 3 || asked.size() == 5)) {
      co_await answer_set(asked);
    } else if (asked[0] == "DEL" && asked.size() == 2) {
      del m{std::string{asked[1]}};
      bool was_there = co_await values_.ask(troupe::take(m));
      out_.number(was_there ? 1 : 0);
    } else {
      out_.error("ERR unknown command '" + std::string{asked[0]} + "'");
    }
  }

  // SET key text [PX milliseconds]
  troupe::task<> answer_set(keyval::words asked) {
    set m{std::string{asked[1]}, std::string{asked[2]}, {}};
    if (asked.size() == 5) {
      std::optional<std::int64_t> count = keyval::number_of(asked[4]);
      if (asked[3] != "PX" || !count || *count < 1 || *count > 1'000'000'000'000) {
        co_return out_.error("ERR syntax error");
      }
      m.lasts = std::chrono::milliseconds{*count};
    }
    co_await values_.ask(troupe::take(m));
    out_.status("OK");
  }

  stores values_;
};

troupe::task<> serve(std::uint16_t port) {
  troupe::io::listener source = troupe::net::tcp_listen("127.0.0.1", port);
  fmt::print("listening on {}\n", source.local_address());
  stores values = troupe::actors::spawn_pool<store, troupe::actors::consistent_hash<by_key>>(4);
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
