// error: a struct with a C array cannot travel to another node: hold a std::array
#include <array>

#include <troupe/node/wire.hpp>

struct letter {
  int number = 0;
#ifdef RIGHT
  std::array<int, 3> numbers{};
#else
  int numbers[3] = {};
#endif
};

std::string use(const letter& m) { return troupe::to_wire(m); }
