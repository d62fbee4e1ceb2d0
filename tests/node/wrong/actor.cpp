// error: a struct with a field that has no default, such as a ref, cannot travel to another node
#include <troupe/actor/actor.hpp>
#include <troupe/node/wire.hpp>

class server : public troupe::actor {};
struct letter {
#ifdef RIGHT
  int to;
#else
  troupe::ref<server> to;
#endif
};

std::string use(const letter& m) { return troupe::to_wire(m); }
