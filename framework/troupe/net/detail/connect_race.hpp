#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include <troupe/io/endpoint.hpp>
#include <troupe/io/stream.hpp>
#include <troupe/io/wait_count.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/task/operation.hpp>

namespace troupe::inline v0_1::net::detail {

/// Returns: the same endpoints, one of each family in turn, beginning with that of the first.
[[nodiscard]] std::vector<io::endpoint> families_in_turn(const std::vector<io::endpoint>& all);

/// Begins a connection.
using dial_function = std::function<result<io::connecting_device_ptr>(const io::endpoint& to)>;

/// Connects to the first of several endpoints that answers.
///
/// One operation for all attempts: each has the wait slot of its socket, and the clock has one.
/// Cancel: all attempts are closed.
class connect_race final : public troupe::detail::fallible_operation<connect_race> {
public:
  static constexpr const char* name = "a connection to a peer (connect)";

  /// Tries `targets` in order, the next one when one has failed or has been tried for `next_after`.
  connect_race(dial_function dial, std::vector<io::endpoint> targets, duration next_after);
  connect_race(connect_race&&) = default;

  bool poll() noexcept;
  bool enlist(waker key) noexcept;
  void delist() noexcept;
  result<io::stream> take() { return std::move(*outcome_); }

private:
  void look_at_attempts() noexcept;
  void begin_next() noexcept;
  [[nodiscard]] bool has_next() const noexcept { return next_ < targets_.size(); }

  dial_function dial_;
  std::vector<io::endpoint> targets_;
  std::vector<io::connecting_device_ptr> attempts_;  // Those that have not been answered.
  std::size_t next_ = 0;
  duration next_after_;
  time_point next_at_{};
  std::optional<troupe::detail::sleep_operation> alarm_;  // For next_at_, while enlisted.
  boost::system::error_code last_error_;
  std::optional<result<io::stream>> outcome_;
  io::wait_count count_;
};

}  // namespace troupe::inline v0_1::net::detail
