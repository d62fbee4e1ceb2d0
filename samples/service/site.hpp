#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

#include <troupe/sync/event.hpp>

#include "aggregator.hpp"
#include "books.hpp"
#include "complaints.hpp"
#include "coordinator.hpp"
#include "options.hpp"

namespace service {

/// What all parts of the service share; held by each of them, so that the last one ends it.
struct site {
  explicit site(const options& given) : wanted{given} {}

  const options wanted;
  complaints heard;
  std::atomic<std::size_t> open_connections{0};

  // The two steps of a graceful stop, for connections.
  troupe::event draining;  // Serve what has arrived already, then close.
  troupe::event closing;   // Time is up: wait for no peer any more.
};

/// The place of one connection among those that are open.
class seat {
public:
  explicit seat(std::shared_ptr<site> at) noexcept : at_{std::move(at)} {
    at_->open_connections.fetch_add(1);
  }
  seat(seat&&) noexcept = default;
  seat& operator=(seat&&) = delete;
  ~seat() {
    if (at_) at_->open_connections.fetch_sub(1);
  }
  site* operator->() const noexcept { return at_.get(); }

private:
  std::shared_ptr<site> at_;
};

/// Whom a connection talks to. Each of them ends when the last copy of its address is gone.
struct colleagues {
  aggregator counting;
  coordinator timing;
  books balance;

  colleagues(aggregator a, coordinator c, books b) noexcept
      : counting{std::move(a)}, timing{std::move(c)}, balance{std::move(b)} {}
};

}  // namespace service
