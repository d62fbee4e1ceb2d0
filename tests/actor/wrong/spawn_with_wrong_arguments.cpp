// error: A has no public constructor that takes these arguments
#include <string>

#include <troupe/actor/actor.hpp>

class server : public troupe::actor {
public:
  explicit server(std::string name) : name_{std::move(name)} {}

private:
  std::string name_;
};

void use() {
#ifdef RIGHT
  (void)troupe::spawn<server>("name");
#else
  (void)troupe::spawn<server>(7);
#endif
}
