#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <type_traits>
#include <utility>
#include <vector>

#include <actors/retry.hpp>
#include <troupe/pal/mutex.hpp>

namespace troupe::inline v0_1::actors {

/// Why a breaker lets a request not through.
enum class breaker_errc {
  open = 1,  ///< Too many have failed: not run.
};
const boost::system::error_category& breaker_category() noexcept;
inline boost::system::error_code make_error_code(breaker_errc code) noexcept {
  return {static_cast<int>(code), breaker_category()};
}

/// Returns: whether an error says that the one who was asked is not well: no room, gone, too late,
/// failed, no answer; and any error that is none of ask_errc. Not, when it says that the caller has
/// left, that it would have closed a cycle, or that the request was handed back: that is an answer.
[[nodiscard]] bool is_breaker_failure(boost::system::error_code error) noexcept;

struct breaker_options {
  std::size_t max_failures = 5;  ///< So many in a row open it; zero: none does.
  /// This part of the last `window` requests opens it, when there were so many; zero: none does.
  double max_failure_ratio = 0;
  std::size_t window = 20;
  duration open_time = std::chrono::seconds{5};
  std::size_t trials = 1;  ///< So many are let through then, and have to succeed to close it.
  bool (*counts)(boost::system::error_code) noexcept = &is_breaker_failure;
};

enum class breaker_state : unsigned char {
  closed,     ///< All are let through.
  open,       ///< None is, for `open_time`.
  half_open,  ///< Some are, on trial.
};

/// Stands before somebody who may be unwell: when too many requests fail it lets none through for a
/// while, so that callers need not wait for what will fail, and the other can recover.
///
/// A plain object: share it, as a member or by a shared_ptr, among all who ask that one.
///
/// Requires: it outlives the requests. Threads: any. Bounds: a lock of a few instructions before
/// and after each request; `window` bits.
/// Source: Nygard, Release It!
/// Example:
///     actors::circuit_breaker breaker;
///     auto page = co_await breaker.call([&] { return server.ask(fetch{1}); });
class circuit_breaker {
public:
  explicit circuit_breaker(breaker_options options = {});
  circuit_breaker(const circuit_breaker&) = delete;
  circuit_breaker& operator=(const circuit_breaker&) = delete;

  /// Makes the request, a task or an operation, unless the breaker is open.
  /// Returns: its answer. Errors: breaker_errc::open as a system_error; those of the request.
  /// Cancel:  that of the request; it counts as neither success nor failure.
  template <class Attempt>
  task<attempt_value<Attempt>> call(Attempt attempt) {
    permit through{*this};
    try {
      auto asked = begin_attempt(attempt, ask_limit{});
      if constexpr (std::is_void_v<attempt_value<Attempt>>) {
        co_await std::move(asked);
        through.succeeded();
      } else {
        auto answer = co_await std::move(asked);
        through.succeeded();
        co_return answer;
      }
    } catch (const system_error& error) {
      if (options_.counts(error.code())) {
        through.failed();
      } else if (error.code() == ask_errc::rejected) {
        through.succeeded();
      }
      throw;
    } catch (const std::exception&) {
      through.failed();
      throw;
    }
  }

  /// Returns: its state at present.
  [[nodiscard]] breaker_state state() const;

private:
  // One request that was let through; when it was neither success nor failure, as if it had not
  // been.
  class permit {
  public:
    explicit permit(circuit_breaker& of) : of_{of}, life_{of.enter()} {}
    permit(const permit&) = delete;
    permit& operator=(const permit&) = delete;
    ~permit() {
      if (!is_over_) of_.leave(life_, outcome::none);
    }
    void succeeded() { end(outcome::success); }
    void failed() { end(outcome::failure); }

  private:
    friend class circuit_breaker;
    enum class outcome : unsigned char { none, success, failure };
    void end(outcome how) {
      is_over_ = true;
      of_.leave(life_, how);
    }
    circuit_breaker& of_;
    std::uint64_t life_;
    bool is_over_ = false;
  };

  std::uint64_t enter();
  void leave(std::uint64_t life, permit::outcome how) noexcept;
  void note(bool failed) noexcept;
  void change_to(breaker_state next) noexcept;
  [[nodiscard]] breaker_state state_at(time_point present) const noexcept;

  const breaker_options options_;
  mutable pal::mutex mutex_;
  breaker_state state_ = breaker_state::closed;
  std::uint64_t life_ = 0;  // Of the state: what began in another one counts no more.
  time_point opened_at_{};
  std::size_t in_a_row_ = 0;
  std::vector<bool> last_;  // A ring; true: failed.
  std::size_t noted_ = 0;
  std::size_t failed_of_last_ = 0;
  std::size_t on_trial_ = 0;
  std::size_t tried_well_ = 0;
};

}  // namespace troupe::inline v0_1::actors

template <>
struct boost::system::is_error_code_enum<troupe::actors::breaker_errc> : std::true_type {};
