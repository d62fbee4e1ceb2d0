// error: a struct with a reference or something const in it cannot travel
#include <troupe/node/wire.hpp>

struct letter {
  int number = 0;
#ifdef RIGHT
  int at;
#else
  const int& at;
#endif
};

auto use(std::string_view bytes) { return troupe::from_wire<letter>(bytes); }
