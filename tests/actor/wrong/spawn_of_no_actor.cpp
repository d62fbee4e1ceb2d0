// error: no matching function for call to 'spawn
#include <troupe/actor/actor.hpp>

#ifdef RIGHT
class server : public troupe::actor {};
#else
class server {};
#endif

void use() { (void)troupe::spawn<server>(); }
