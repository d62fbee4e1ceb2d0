// error: a time of a steady clock means nothing on another node: send a duration
#include <chrono>

#include <troupe/node/wire.hpp>

using namespace std::chrono;

struct letter {
#ifdef RIGHT
  system_clock::time_point sent;
#else
  steady_clock::time_point sent;
#endif
};

std::string use(const letter& m) { return troupe::to_wire(m); }
