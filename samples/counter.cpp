// The README's actor: it adds up what it is sent, and answers the sum.
#include <fmt/core.h>
#include <troupe/actor/actor.hpp>
#include <troupe/actor/ask.hpp>
#include <troupe/runtime/run.hpp>

struct add {
  int amount;
};
struct total {};

class counter : public troupe::actor {
public:
  void on(add m) { sum_ += m.amount; }
  int on(total) { return sum_; }

private:
  int sum_ = 0;
};

troupe::task<> count() {
  auto c = troupe::spawn<counter>();
  for (int amount : {20, 22}) co_await c.send(add{amount});
  fmt::print("{}\n", co_await c.ask(total{}));
}

int main() { return troupe::run(count); }
