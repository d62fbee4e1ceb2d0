// error: a container of what takes no bytes cannot travel to another node: send the number
#include <vector>

#include <troupe/node/wire.hpp>

struct mark {};
struct twice {
  mark first, second;
};
#ifdef RIGHT
using marks = std::size_t;
#else
using marks = std::vector<twice>;
#endif

std::string use(const marks& m) { return troupe::to_wire(m); }
