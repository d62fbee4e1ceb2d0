#include <troupe/net/detail/reactor_core.hpp>

#include <troupe/net/detail/watched_fd.hpp>

namespace troupe::net::detail {

reactor_core::~reactor_core() { free_retired(); }

boost::asio::io_context& reactor_core::context() {
  if (!context_in_use_.exchange(true, std::memory_order_acq_rel)) {  // -> context_in_use
    events_.interrupt();  // Whoever waits for our events alone shall wait for Asio's too.
  }
  return context_;
}

void reactor_core::retire(watched_fd& released) noexcept {
  watched_fd* seen = retired_.load(std::memory_order_relaxed);
  do {
    released.next_retired_ = seen;
  } while (!retired_.compare_exchange_weak(seen, &released, std::memory_order_release,  // -> free
                                           std::memory_order_relaxed));
}

void reactor_core::free_retired() noexcept {
  if (retired_.load(std::memory_order_relaxed) == nullptr) return;
  watched_fd* first = retired_.exchange(nullptr, std::memory_order_acquire);  // <- retire
  while (first != nullptr) {
    watched_fd* next = first->next_retired_;
    delete first;
    first = next;
  }
}

}  // namespace troupe::net::detail
