#pragma once

#include <troupe/pal/parker.hpp>
#include <troupe/sched/driver.hpp>

namespace troupe::inline v0_1::detail {

/// The driver of a scheduler without I/O: nothing comes from outside but interrupts.
class park_driver final : public driver {
public:
  void wait(std::optional<time_point> until) override { parker_.park(until); }
  void poll(std::size_t) override {}
  void interrupt() noexcept override { parker_.unpark(); }

private:
  pal::parker parker_;
};

}  // namespace troupe::inline v0_1::detail
