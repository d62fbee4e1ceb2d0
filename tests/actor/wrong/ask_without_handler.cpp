// error: this actor has no public handler on(M) for exactly this message type M: write one
#include <troupe/actor/actor.hpp>

struct known {};
struct unknown {};

class server : public troupe::actor {
public:
  int on(known) { return 1; }
};

troupe::task<int> use(troupe::ref<server> to) {
#ifndef RIGHT
  (void)co_await to.ask(unknown{});
#endif
  co_return co_await to.ask(known{});
}
