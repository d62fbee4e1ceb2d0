#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include <troupe/io/listener.hpp>
#include <troupe/task/join_handle.hpp>
#include <troupe/task/task.hpp>

#include "load.hpp"
#include "site.hpp"

namespace service {

/// The main job: starts the parts, keeps them going, and stops them in order.
class main_job {
public:
  explicit main_job(const options& wanted) : at_{std::make_shared<site>(wanted)} {}

  /// Opens the port and starts all parts. Errors: system_error when the port cannot be had.
  troupe::task<> start();

  /// Runs the load for its time, or serves others until it is stopped.
  troupe::task<> work();

  /// Ends the load, intake, connections and the rest, each after what it depends on.
  /// Returns: what came in and what became of it. Requires: start() was called, if it ended or not.
  troupe::task<balance> wind_down();

private:
  void start_roles(std::uint16_t ponger_port);
  void tell(std::int64_t second, troupe::duration passed, std::size_t connections,
            std::uint64_t bytes) const;
  troupe::task<balance> drain();

  std::shared_ptr<site> at_;
  std::optional<colleagues> parts_;
  std::optional<load> load_;
  std::optional<troupe::join_handle<void>> ponging_, coordinating_, accepting_;
  std::optional<troupe::join_handle<std::uint64_t>> counting_;
  std::optional<troupe::join_handle<balance>> booking_;
};

/// The program, from start to exit code.
troupe::task<int> run_main_job(options wanted);

}  // namespace service
