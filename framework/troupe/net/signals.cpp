#include <troupe/net/signals.hpp>

#include <algorithm>
#include <array>
#include <csignal>

#include <troupe/base/assert.hpp>
#include <troupe/net/detail/signal_watch.hpp>
#include <troupe/net/reactor.hpp>

namespace troupe::inline v0_1::net {

namespace detail {

void signal_operation::start() const {
  if (watch_->is_waited_for()) {
    misuse("two tasks wait for one signals object at once: give each an object of its own [I17]");
  }
}

bool signal_operation::poll() noexcept {
  if (number_ == 0) number_ = watch_->try_take();
  return number_ != 0;
}

bool signal_operation::enlist(waker key) noexcept { return count_.begin(watch_->enlist(key)); }

void signal_operation::delist() noexcept {
  if (count_.end()) watch_->delist();
}

void signal_watch_closer::operator()(signal_watch* watch) const noexcept { watch->close(); }

}  // namespace detail

signals::signals(std::initializer_list<int> numbers) {
  reactor& here = reactor::current();
  constexpr std::array<int, 5> faults{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
  for (int number : numbers) {
    if (std::find(faults.begin(), faults.end(), number) != faults.end()) {
      misuse("a fault of the program cannot be awaited as a signal: let the process end [I18]");
    }
  }
  watch_.reset(&detail::signal_watch::make(here.core(), {numbers.begin(), numbers.size()}));
}

detail::signal_operation signals::next() {
  if (!watch_)
    misuse("a signals object was used after it was moved from: use the one that has it now [I19]");
  return detail::signal_operation{*watch_};
}

}  // namespace troupe::inline v0_1::net
