// error: send_every sends copies: M must be copyable
#include <chrono>
#include <memory>
#include <utility>

#include <troupe/actor/actor.hpp>

using namespace std::chrono_literals;

#ifdef RIGHT
using number = std::shared_ptr<int>;
#else
using number = std::unique_ptr<int>;
#endif

class server : public troupe::actor {
public:
  void on_start() { self(this).send_every(1s, number{}); }
  void on(number) {}
};

void use() { (void)troupe::spawn<server>(); }
