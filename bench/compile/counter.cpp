// What the work `compile` compiles.
#include <troupe/actor/actor.hpp>
#include <troupe/runtime/run.hpp>

struct add {
  using reply = int;
  int amount;
};

class counter : public troupe::actor {
public:
  int on(add m) { return sum_ += m.amount; }

private:
  int sum_ = 0;
};

troupe::task<int> count() { co_return co_await troupe::spawn<counter>().ask(add{2}) - 2; }

int main() { return troupe::run(count); }
