// error: an answer must not be a reference: return a value
#include <troupe/actor/actor.hpp>

struct look {};

class server : public troupe::actor {
public:
#ifdef RIGHT
  int on(look) { return number_; }
#else
  int& on(look) { return number_; }
#endif

private:
  int number_ = 1;
};

troupe::task<int> use(troupe::ref<server> to) { co_return co_await to.ask(look{}); }
