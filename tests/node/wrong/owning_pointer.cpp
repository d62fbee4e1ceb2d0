// error: a pointer cannot travel to another node: send what it points to
#include <memory>
#include <optional>

#include <troupe/node/wire.hpp>

struct letter {
  int number = 0;
#ifdef RIGHT
  std::optional<int> at;
#else
  std::unique_ptr<int> at;
#endif
};

std::string use(const letter& m) { return troupe::to_wire(m); }
