#pragma once

#include <algorithm>

#include <troupe/pal/clock.hpp>

namespace troupe::model {

/// The time of a schedule: it passes when a timed sleep ends, and not otherwise.
class model_clock final : public pal::clock {
public:
  [[nodiscard]] time_point now() const noexcept override { return now_; }
  bool jump_to(time_point) noexcept override { return false; }

  void pass(time_point until) { now_ = std::max(now_, until); }
  void start() { now_ = time_point{std::chrono::seconds{1}}; }

private:
  time_point now_{};
};

inline model_clock clock_of_model;

}  // namespace troupe::model

namespace troupe::inline v0_1::pal {
inline clock& real_clock() noexcept { return model::clock_of_model; }
}  // namespace troupe::inline v0_1::pal
