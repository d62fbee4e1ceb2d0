// error: an enum without a fixed type cannot travel to another node: write `enum class`
#include <troupe/node/wire.hpp>

#ifdef RIGHT
enum class kind { small, large };
#else
enum kind { small, large };
#endif
struct letter {
  kind of{};
};

std::string use(const letter& m) { return troupe::to_wire(m); }
