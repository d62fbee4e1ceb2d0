// error: on() takes this message type M only by a template, a conversion or a choice of
// One template hides the handlers beside it: which messages it takes cannot be told.
#include <troupe/actor/actor.hpp>

struct ping {};

class server : public troupe::actor {
public:
  void on(ping) {}
#ifndef RIGHT
  void on(auto) {}
#endif
};

troupe::task<> use(troupe::ref<server> to) { co_await to.send(ping{}); }
