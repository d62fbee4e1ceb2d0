// error: nothing is sent: co_await it
#include <troupe/actor/actor.hpp>

struct ping {};

class server : public troupe::actor {
public:
  void on(ping) {}
};

troupe::task<> use(troupe::ref<server> to) {
#ifndef RIGHT
  to.send(ping{});
#else
  co_await to.send(ping{});
#endif
  co_return;
}
