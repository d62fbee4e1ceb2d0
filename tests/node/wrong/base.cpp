// error: a struct with a base cannot travel to another node: hold the base as a field
#include <troupe/node/wire.hpp>

struct parcel {
  int weight = 0;
};
#ifdef RIGHT
struct letter {
  parcel outer;
#else
struct letter : parcel {
#endif
  int number = 0;
};

std::string use(const letter& m) { return troupe::to_wire(m); }
