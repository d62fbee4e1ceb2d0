// error: this actor has no public handler on(M) for exactly this message type M: write one
#include <troupe/actor/actor.hpp>

struct known {};
struct unknown {};

class server : public troupe::actor {
public:
  void on(known) {}
};

troupe::task<> use(troupe::ref<server> to) {
  co_await to.send(known{});
#ifndef RIGHT
  co_await to.send(unknown{});
#endif
}
