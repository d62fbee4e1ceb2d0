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
  void on(const pinned&) {}
};

troupe::task<> use(troupe::ref<server> to) { co_await to.send(pinned{}); }
