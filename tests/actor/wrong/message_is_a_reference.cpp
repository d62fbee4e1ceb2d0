// error: a message must not be a reference: what it refers to may be gone when it is handled
#include <functional>
#include <string>

#include <troupe/actor/actor.hpp>

#ifdef RIGHT
using text = std::string;
#else
using text = std::reference_wrapper<std::string>;
#endif

class server : public troupe::actor {
public:
  void on(text) {}
};

troupe::task<> use(troupe::ref<server> to, std::string mine) { co_await to.send(text{mine}); }
