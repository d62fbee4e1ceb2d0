// error: this actor has no public handler on(M) for exactly this message type M: write one
#include <chrono>

#include <troupe/actor/actor.hpp>

using namespace std::chrono_literals;

struct known {};
struct unknown {};

class server : public troupe::actor {
public:
  void on_start() {
#ifdef RIGHT
    self(this).send_every(1s, known{});
#else
    self(this).send_every(1s, unknown{});
#endif
  }
  void on(known) {}
};

void use() { (void)troupe::spawn<server>(); }
