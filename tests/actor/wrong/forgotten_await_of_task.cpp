// error: nothing runs: co_await it or spawn() it
#include <troupe/actor/actor.hpp>

troupe::task<> save() { co_return; }

troupe::task<> use() {
#ifndef RIGHT
  save();
#else
  co_await save();
#endif
  co_return;
}
