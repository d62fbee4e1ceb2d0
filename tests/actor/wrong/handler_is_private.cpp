// error: this actor has no public handler on(M) for exactly this message type M: write one
#include <troupe/actor/actor.hpp>

struct ping {};

class server : public troupe::actor {
#ifdef RIGHT
public:
#endif
  void on(ping) {}
};

troupe::task<> use(troupe::ref<server> to) { co_await to.send(ping{}); }
