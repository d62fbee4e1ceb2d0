// error: A is no actor: derive it publicly from troupe::actor
#include <troupe/actor/actor.hpp>

#ifdef RIGHT
class server : public troupe::actor {};
#else
class server {};
#endif

void use() { (void)troupe::spawn<server>(); }
