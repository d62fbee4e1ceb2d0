// g++ before 12.3: miscompiles this: write ask<M>(fields...) or ask(take(local))
#include <string>

#include <troupe/actor/actor.hpp>

struct greeting {
  int number;
  std::string name;
};

class server : public troupe::actor {
public:
  void on(greeting) {}
};

troupe::task<> use(troupe::ref<server> to, std::string name) {
#ifdef RIGHT
  greeting mine{1, std::move(name)};
  co_await to.send(troupe::take(mine));
#else
  co_await to.send(greeting{1, std::move(name)});
#endif
}
