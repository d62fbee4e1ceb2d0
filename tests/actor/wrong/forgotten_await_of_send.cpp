// error: nothing is sent: co_await it
#include <troupe/actor/actor.hpp>

struct ping {};

class server : public troupe::actor {
public:
  void on(ping) {}
};

troupe::task<> use(troupe::ref<server> to) {
#ifdef RIGHT
  co_await
#endif
      to.send(ping{});
  co_return;
}
