#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include <troupe/sync/event.hpp>

#include "aggregator.hpp"
#include "complaints.hpp"
#include "coordinator.hpp"
#include "options.hpp"

namespace service {

/// What all parts of the service share; held by each of them, so that the last one ends it.
struct site {
  explicit site(const options& given) : wanted{given} {}

  const options wanted;
  complaints heard;
  std::atomic<connection_id> last_id{0};
  std::atomic<std::uint64_t> answered_count{0};  // Of the load.

  // The steps of a graceful stop, for connections.
  troupe::event draining;  // Serve what has arrived already, then close.
  troupe::event closing;   // Time is up: wait for no peer any more.

  [[nodiscard]] std::size_t open_connections() const noexcept { return seats_.load() - 1; }
  void take_seat() noexcept { seats_.fetch_add(1); }
  void leave_seat() noexcept {
    if (seats_.fetch_sub(1) == 1) vacant.set();
  }
  troupe::event vacant;  // All connections have ended, and close() was called.
  void close() noexcept {
    if (!std::exchange(is_closed_, true)) leave_seat();
  }

private:
  std::atomic<std::size_t> seats_{1};  // One is the service's own, until it is closed.
  bool is_closed_ = false;
};

/// The place of one connection among those that are open.
class seat {
public:
  explicit seat(std::shared_ptr<site> at) noexcept : at_{std::move(at)} { at_->take_seat(); }
  seat(seat&&) noexcept = default;
  seat& operator=(seat&&) = delete;
  ~seat() {
    if (at_ != nullptr) at_->leave_seat();
  }
  site* operator->() const noexcept { return at_.get(); }

private:
  std::shared_ptr<site> at_;
};

/// Whom a connection talks to.
struct colleagues {
  troupe::ref<aggregator> counting;
  troupe::ref<coordinator> timing;
};

}  // namespace service
