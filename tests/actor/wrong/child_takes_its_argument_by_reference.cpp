// error: a child is constructed from copies of its arguments: take them by value or const&
#include <string>
#include <utility>

#include <troupe/actor/supervisor.hpp>

class server : public troupe::actor {
public:
#ifdef RIGHT
  explicit server(const std::string& name) : name_{name} {}
#else
  explicit server(std::string& name) : name_{std::move(name)} {}
#endif

private:
  std::string name_;
};

void use(const troupe::ref<troupe::supervisor>& root, std::string name) {
  (void)troupe::spawn_child<server>(root, name);
}
