// error: nothing is asked: co_await it
#include <troupe/actor/actor.hpp>

struct ping {};

class server : public troupe::actor {
public:
  int on(ping) { return 1; }
};

troupe::task<> use(troupe::ref<server> to) {
#ifdef RIGHT
  co_await
#endif
      to.ask(ping{});
  co_return;
}
