// error: this actor has no public handler on(M) for exactly this message type M: write one
#include <troupe/actor/actor.hpp>

struct known {};
struct unknown {};

class server : public troupe::actor {
public:
  void on(known) {}
};

bool use(const troupe::ref<server>& to) {
#ifndef RIGHT
  if (!to.try_send(unknown{}).has_value()) return false;
#endif
  return to.try_send(known{}).has_value();
}
