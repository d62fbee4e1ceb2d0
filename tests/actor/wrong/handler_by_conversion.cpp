// error: on() takes this message type M only by a template, a conversion or a choice of
// A long is not narrowed, and not rounded, to the message of another handler.
#include <troupe/actor/actor.hpp>

class server : public troupe::actor {
public:
  int on(int number) { return number; }
};

troupe::task<int> use(troupe::ref<server> to) {
#ifdef RIGHT
  co_return co_await to.ask(1);
#else
  co_return co_await to.ask(1L);
#endif
}
