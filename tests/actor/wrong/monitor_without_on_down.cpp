// error: monitor() tells of an end by on(down), which this actor does not have: write one
#include <troupe/actor/actor.hpp>

class server : public troupe::actor {
public:
  void on(const troupe::ref<server>& other) { self(this).monitor(other); }
#ifdef RIGHT
  void on(const troupe::down&) {}
#endif
};

troupe::task<> use(troupe::ref<server> to) { co_await to.send(to); }
