// error: a pointer cannot travel to another node: send what it points to
#include <troupe/node/wire.hpp>

struct letter {
  int number = 0;
#ifdef RIGHT
  int at = 0;
#else
  int* at = nullptr;
#endif
};

std::string use(const letter& m) { return troupe::to_wire(m); }
