#include "demo.hpp"

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <fmt/core.h>

#include <troupe/io/framing.hpp>
#include <troupe/net/tcp.hpp>

#include "guest.hpp"

namespace chat {

namespace {

// Somebody at a keyboard.
class typist {
public:
  typist(std::string name, troupe::io::stream server)
      : name_{std::move(name)}, server_{std::move(server)}, lines_{server_} {}
  typist(const typist&) = delete;
  typist& operator=(const typist&) = delete;

  [[nodiscard]] int wrong_count() const noexcept { return wrong_count_; }

  troupe::task<> type(std::string line) {
    fmt::print("{} > {}\n", name_, line);
    co_await server_.write_all(line + "\n");
  }
  troupe::task<> type_quietly(const std::string& line) { co_await server_.write_all(line); }

  // Reads a line, which has to be this one.
  troupe::task<> hear(std::string wanted) {
    std::string line = co_await next_line();
    fmt::print("{} < {}\n", name_, line);
    if (line == wanted) co_return;
    fmt::print("WRONG: it should be: {}\n", wanted);
    ++wrong_count_;
  }
  troupe::task<std::string> next_line() {
    auto line = co_await lines_.next_line();
    co_return line ? *line : std::string{"(the end)"};
  }

private:
  std::string name_;
  troupe::io::stream server_;
  troupe::io::line_reader lines_;
  int wrong_count_ = 0;
};

using typist_ptr = std::shared_ptr<typist>;

troupe::task<typist_ptr> come(std::string name, std::uint16_t port, int number) {
  auto server = co_await troupe::net::tcp_connect("127.0.0.1", port);
  auto made = std::make_shared<typist>(name, std::move(server));
  std::string guest = "guest" + std::to_string(number);
  co_await made->hear("* welcome, " + guest + ": /join ROOM, /nick NAME, /who, /quit");
  co_await made->type("/nick " + name);
  co_await made->hear("* " + guest + " is now " + name);
  co_return made;
}

troupe::task<> talk(typist& ann, typist& bob) {
  co_await ann.type("Is anybody there?");
  co_await ann.hear("* nobody hears you: /join ROOM");
  co_await ann.type("/join tea");
  co_await ann.hear("* ann has come to tea");
  co_await bob.type("/nick ann");
  co_await bob.hear("* ann is somebody else");
  co_await bob.type("/join tea");
  co_await bob.hear("* bob has come to tea");
  co_await ann.hear("* bob has come to tea");
  co_await ann.type("Hello, Bob.");
  co_await ann.hear("ann: Hello, Bob.");
  co_await bob.hear("ann: Hello, Bob.");
  co_await bob.type("/who");
  co_await bob.hear("* here: ann bob");
}

// Carl is in another room, and hears nothing of this one.
troupe::task<> visit(typist& ann, typist& carl) {
  co_await carl.type("/join coffee");
  co_await carl.hear("* carl has come to coffee");
  co_await carl.type("Two sugars, please.");
  co_await carl.hear("carl: Two sugars, please.");
  co_await carl.type("/join tea");
  co_await carl.hear("* carl has come to tea");
  co_await ann.hear("* carl has come to tea");
  co_await carl.type("/quit");
  co_await carl.hear("* bye");
  co_await carl.hear("(the end)");
  co_await ann.hear("* carl has left");
}

// Bob talks much, and goes on when Ann and he have heard it; Dan does not read. What the system
// keeps for Dan is full some time, then his guest's mailbox.
troupe::task<bool> outlast_dan(typist& ann, typist& bob) {
  const std::string news = "* dan was too slow";
  const std::string much(32 * 1024, 'z');
  constexpr int most = 10'000;
  for (int i = 0; i < most; ++i) {
    co_await bob.type_quietly(much + "\n");
    while (!(co_await bob.next_line()).starts_with("bob: ")) {
    }
    for (;;) {
      std::string line = co_await ann.next_line();
      if (line == news) co_return true;
      if (line.starts_with("bob: ")) break;
    }
  }
  co_return false;
}

}  // namespace

troupe::task<int> run_demo() {
  troupe::io::listener source = troupe::net::tcp_listen("127.0.0.1", 0);
  std::uint16_t port = source.port();
  auto of = troupe::spawn<hall>();
  auto door = open(std::move(source), of);

  typist_ptr ann = co_await come("ann", port, 1);
  typist_ptr bob = co_await come("bob", port, 2);
  typist_ptr carl = co_await come("carl", port, 3);
  co_await talk(*ann, *bob);
  co_await visit(*ann, *carl);
  co_await bob->hear("* carl has come to tea");
  co_await bob->hear("* carl has left");

  typist_ptr dan = co_await come("dan", port, 4);
  co_await dan->type("/join tea");
  co_await dan->hear("* dan has come to tea");
  co_await ann->hear("* dan has come to tea");
  co_await bob->hear("* dan has come to tea");
  fmt::print("dan reads no more, and bob talks much\n");
  bool was_parted = co_await outlast_dan(*ann, *bob);
  fmt::print("ann < {}\n", was_parted ? "* dan was too slow" : "WRONG: nothing of dan");

  hall_totals totals = co_await of.ask(count_totals{});
  door.stop();
  co_await door.ended();
  int wrong = ann->wrong_count() + bob->wrong_count() + carl->wrong_count() + dan->wrong_count();
  bool is_ok = wrong == 0 && was_parted && totals.too_slow == 1;
  fmt::print("chat: {} guests, {} rooms, {} too slow: {}\n", totals.guests, totals.rooms,
             totals.too_slow, is_ok ? "ok" : "WRONG");
  co_return is_ok ? 0 : 1;
}

}  // namespace chat
