// error: this type cannot travel to another node: only values and structs of them do
#include <troupe/node/wire.hpp>

class letter {
public:
  int sum() const { return number + weight; }

  int number = 0;

#ifndef RIGHT
private:
#endif
  int weight = 0;
};

std::string use(const letter& m) { return troupe::to_wire(m); }
