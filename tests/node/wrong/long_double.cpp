// error: a long double cannot travel to another node: send a double
#include <troupe/node/wire.hpp>

struct letter {
  int number = 0;
#ifdef RIGHT
  double weight = 0;
#else
  long double weight = 0;
#endif
};

std::string use(const letter& m) { return troupe::to_wire(m); }
