// error: the handler on(M) returns something else than M::reply: make them agree
#include <troupe/actor/actor.hpp>

struct total {
#ifdef RIGHT
  using reply = long;
#else
  using reply = int;
#endif
};

class server : public troupe::actor {
public:
  void on(total, troupe::reply<long> back) { back.answer(1); }
};

troupe::task<long> use(troupe::ref<server> to) { co_return co_await to.ask(total{}); }
