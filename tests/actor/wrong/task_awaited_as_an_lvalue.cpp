// error: a task is awaited once, as an rvalue: write co_await std::move(task)
#include <utility>

#include <troupe/actor/actor.hpp>

troupe::task<int> answer() { co_return 42; }

troupe::task<int> use() {
  auto later = answer();
#ifndef RIGHT
  co_return co_await later;
#else
  co_return co_await std::move(later);
#endif
}
