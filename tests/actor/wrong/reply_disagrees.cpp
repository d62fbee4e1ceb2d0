// error: the handler on(M) returns something else than M::reply: make them agree
#include <cstdint>

#include <troupe/actor/actor.hpp>

struct total {
#ifdef RIGHT
  using reply = std::int64_t;
#else
  using reply = std::int32_t;
#endif
};

class server : public troupe::actor {
public:
  std::int64_t on(total) { return 1; }
};

troupe::task<std::int64_t> use(troupe::ref<server> to) { co_return co_await to.ask(total{}); }
