// error: a string_view or a span cannot travel to another node: send a string or a vector
#include <span>
#include <vector>

#include <troupe/node/wire.hpp>

struct letter {
  int number = 0;
#ifdef RIGHT
  std::vector<int> all;
#else
  std::span<const int> all;
#endif
};

std::string use(const letter& m) { return troupe::to_wire(m); }
