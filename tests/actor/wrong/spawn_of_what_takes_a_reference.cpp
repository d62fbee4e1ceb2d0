// error: spawn(f, arguments...): f takes no copies of these; std::ref() for a reference
#include <functional>

#include <troupe/task/spawn.hpp>

troupe::task<> add_to(int& sum) {
  ++sum;
  co_return;
}

troupe::task<int> use() {
  int sum = 0;
#ifndef RIGHT
  co_await troupe::spawn(add_to, sum);
#else
  co_await troupe::spawn(add_to, std::ref(sum));
#endif
  co_return sum;
}
