#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <troupe/task/join_handle.hpp>
#include <troupe/task/task.hpp>

#include "client.hpp"

namespace service {

/// Clients of our own, each with one connection at a time.
class load {
public:
  load(std::shared_ptr<site> at, troupe::ref<aggregator> told, std::uint16_t port)
      : shared_{std::make_shared<load_site>(std::move(at), std::move(told), port)} {}

  /// Starts them. Requires: called once.
  void start();

  /// Lets each end its connection by quit, and waits for them; those that cannot are cut off.
  troupe::task<> finish();

  [[nodiscard]] meter& latencies() const noexcept { return shared_->latencies; }

private:
  std::shared_ptr<load_site> shared_;
  std::vector<troupe::join_handle<void>> clients_;
};

}  // namespace service
