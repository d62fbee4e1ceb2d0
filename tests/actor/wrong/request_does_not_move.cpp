// error: a message must be movable, and one given by its name copyable
#include <troupe/actor/actor.hpp>

struct pinned {
  pinned() = default;
#ifndef RIGHT
  pinned(pinned&&) = delete;
#endif
};

class server : public troupe::actor {
public:
  int on(const pinned&) { return 1; }
};

troupe::task<int> use(troupe::ref<server> to) { co_return co_await to.ask(pinned{}); }
