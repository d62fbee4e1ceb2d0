// error: this actor has no public handler on(M) for exactly this message type M: write one
#include <troupe/actor/actor.hpp>

struct known {
  int number;
};
struct unknown {
  int number;
};

class server : public troupe::actor {
public:
  int on(known m) { return m.number; }
};

troupe::task<int> use(troupe::ref<server> to) {
#ifndef RIGHT
  (void)co_await to.ask<unknown>(1);
#endif
  co_return co_await to.ask<known>(1);
}
