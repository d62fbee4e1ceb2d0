// error: a struct with a reference or something const in it cannot travel
#include <troupe/node/wire.hpp>

struct letter {
  int number = 0;
#ifdef RIGHT
  int at = 1;
#else
  const int at = 1;
#endif
};

std::string use(const letter& m) { return troupe::to_wire(m); }
