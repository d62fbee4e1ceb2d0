#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <troupe/actor/ask.hpp>
#include <troupe/base/result.hpp>

#include "scene.hpp"

namespace troupe::scenarios {

/// What becomes of each request: it ends once, with the right answer or an error of the right
/// family, in time; it is run at most once, and not after its end.
class ask_book {
public:
  /// The lateness of a limit of its own, and of the runtime's default.
  static constexpr duration exact = std::chrono::milliseconds{2};
  static constexpr duration coarse(duration limit) noexcept {
    return std::max(limit / 20, 2 * exact);
  }

  /// What is known of its limit.
  struct promise {
    std::optional<duration> limit{};
    duration lateness = exact;  ///< At most.
    bool may_be_full = false;   ///< The receiver may refuse it at once.
  };

  explicit ask_book(scene& of) : scene_{of} {}

  /// Returns: the number of a new request.
  std::size_t open(promise given);
  /// The handler that answers it has begun.
  void begin(std::size_t number);
  [[nodiscard]] static std::int64_t right_answer(std::size_t number) noexcept {
    return static_cast<std::int64_t>(number) * 7 + 1;
  }

  void answered(std::size_t number, std::int64_t answer);
  void failed(std::size_t number, boost::system::error_code code);
  /// It was left: by a stop, or the end of its node.
  void left(std::size_t number);

private:
  struct entry {
    promise given;
    duration began_at{};
    bool has_begun = false;
    bool has_ended = false;
  };

  entry& end(std::size_t number);

  scene& scene_;
  std::vector<entry> entries_;
};

/// The wait for one answer; left without one, the request was taken back.
class asking {
public:
  asking(ask_book& in, std::size_t number) noexcept : in_{in}, number_{number} {}
  asking(const asking&) = delete;
  asking& operator=(const asking&) = delete;
  ~asking() {
    if (!has_ended_) in_.left(number_);
  }
  void end(const result<std::int64_t>& got) {
    has_ended_ = true;
    got ? in_.answered(number_, *got) : in_.failed(number_, got.error());
  }

private:
  ask_book& in_;
  const std::size_t number_;
  bool has_ended_ = false;
};

}  // namespace troupe::scenarios
