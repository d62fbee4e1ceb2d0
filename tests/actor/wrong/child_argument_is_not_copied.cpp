// error: a child's arguments are copied for each restart: give it what can be copied
#include <memory>
#include <utility>

#include <troupe/actor/supervisor.hpp>

#ifdef RIGHT
using number = std::shared_ptr<int>;
#else
using number = std::unique_ptr<int>;
#endif

class server : public troupe::actor {
public:
  explicit server(number mine) : mine_{std::move(mine)} {}

private:
  number mine_;
};

void use(const troupe::ref<troupe::supervisor>& root) {
  (void)troupe::spawn_child<server>(root, number{});
}
