// error: a string_view or a span cannot travel to another node: send a string or a vector
#include <string>
#include <string_view>
#include <vector>

#include <troupe/node/wire.hpp>

struct inner {
#ifdef RIGHT
  std::string name;
#else
  std::string_view name;
#endif
};
struct letter {
  std::vector<inner> all;
};

std::string use(const letter& m) { return troupe::to_wire(m); }
