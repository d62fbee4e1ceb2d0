// clang: this function cannot be a coroutine
// g++: unable to find the promise type for this coroutine
#include <troupe/actor/actor.hpp>

struct tick {};

class relay : public troupe::actor {
public:
  explicit relay(troupe::ref<relay> next) : next_{next} {}
#ifndef RIGHT
  void on(tick m) { co_await next_.send(m); }
#else
  troupe::task<> on(tick m) { co_await next_.send(m); }
#endif

private:
  troupe::ref<relay> next_;
};
