#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <actors/listener.hpp>
#include <troupe/actor/supervisor.hpp>
#include <troupe/task/join_handle.hpp>
#include <troupe/task/task.hpp>

#include "carrier.hpp"
#include "chaos.hpp"
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
  /// Errors: system_error when chaos is over and rtt still fails.
  troupe::task<> work();

  /// Ends the load, intake, connections and the rest, each after what it depends on.
  /// Returns: what came in and what became of it. Requires: start() was called, if it ended or not.
  troupe::task<balance> wind_down();

  /// Returns: what chaos has killed, as a line. Requires: wind_down() was called.
  [[nodiscard]] std::string havoc_text() const;

private:
  void start_roles();
  void start_chaos();
  troupe::task<> see_rtt_recovered();
  void tell(std::int64_t second, troupe::duration passed, std::size_t connections,
            std::uint64_t bytes) const;
  troupe::task<> close_door();
  troupe::task<> all_have_left();

  std::shared_ptr<site> at_;
  std::shared_ptr<carrier> carrier_;
  std::optional<troupe::ref<troupe::supervisor>> root_;
  std::optional<colleagues> parts_;
  std::optional<troupe::ref<chaos>> enemy_;
  std::optional<troupe::ref<troupe::actors::listener>> door_, tls_door_;
  std::optional<load> load_;
  std::optional<troupe::join_handle<void>> ponging_;
  havoc done_;
  std::uint64_t own_rtt_count_ = 0;
};

/// The program, from start to exit code.
troupe::task<int> run_main_job(options wanted);

}  // namespace service
