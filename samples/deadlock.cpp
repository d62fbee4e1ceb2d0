// Three departments ask one another in a circle, each waiting for the next. The wait that would
// close the circle is refused at once, and named; the others then go on.

#include <optional>
#include <string>
#include <utility>

#include <fmt/core.h>

#include <troupe/actor/actor.hpp>
#include <troupe/runtime/run.hpp>

#include "options.hpp"

namespace {

class department;

struct ask_next {
  troupe::ref<department> whom;
};
struct approve {
  using reply = std::string;
};

class department : public troupe::actor {
public:
  void on(ask_next m) { next_ = std::move(m.whom); }

  // While it waits for the next one it takes no other mail: it is in its only handler.
  troupe::task<std::string> on(approve) {
    try {
      std::string why = co_await next_->ask(approve{});
      co_return self().name() + " agrees, since " + why;
    } catch (const troupe::system_error& refused) {
      fmt::print("{} may not wait: {}\n", self().name(), refused.what());
      co_return self().name() + " decides alone";
    }
  }

private:
  std::optional<troupe::ref<department>> next_;
};

troupe::ref<department> open(const char* name) {
  return troupe::spawn<department>(troupe::actor_options{.name = name});
}

troupe::task<int> main_task() {
  auto legal = open("legal"), sales = open("sales"), board = open("board");
  for (auto [from, to] : {std::pair{&legal, &sales}, {&sales, &board}, {&board, &legal}}) {
    ask_next news{*to};
    co_await from->send(troupe::take(news));
  }
  fmt::print("{}\n", co_await legal.ask(approve{}));
  legal.stop();  // They know one another, and would live for ever.
  sales.stop();
  board.stop();
  co_return 0;
}

}  // namespace

int main(int argc, char** argv) {
  samples::options{argc, argv}.end();
  return troupe::run(main_task);
}
