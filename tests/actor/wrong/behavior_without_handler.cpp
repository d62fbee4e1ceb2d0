// error: only some behaviors of this actor have a handler on(M): write one in each
#include <troupe/actor/behaviors.hpp>

struct coin {};

class locked : public troupe::actor {
public:
  void on(coin) {}
};
class unlocked : public troupe::actor {
#ifdef RIGHT
public:
  void on(coin) {}
#endif
};
class turnstile : public troupe::behaviors<locked, unlocked> {};

troupe::task<> use(troupe::ref<turnstile> t) { co_await t.send(coin{}); }
