// error: a message must be movable, and one given by its name copyable
// What is sent by its name is copied: write std::move(m), or take(m).
#include <memory>
#include <utility>

#include <troupe/actor/actor.hpp>

using number = std::unique_ptr<int>;

class server : public troupe::actor {
public:
  void on(number) {}
};

troupe::task<> use(troupe::ref<server> to, number mine) {
#ifdef RIGHT
  co_await to.send(std::move(mine));
#else
  co_await to.send(mine);
#endif
}
