#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include <troupe/actor/ask.hpp>
#include <troupe/actor/errors.hpp>
#include <troupe/pal/random.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/task/task.hpp>

namespace troupe::inline v0_1::actors {

/// How often, and when, a request is asked again.
struct retry_policy {
  std::size_t max_attempts = 5;  ///< The first one included; from 1 on.
  duration min_delay = std::chrono::milliseconds{10};
  duration max_delay = std::chrono::seconds{1};  ///< Each delay is twice the last, up to this one.
  /// For all attempts and delays together: none begins after it. Zero: no limit.
  duration within{};
  /// Also what may have run is asked again: for requests that do no harm when they run twice.
  bool even_if_maybe_run = false;
  /// Which errors that are none of ask_errc are worth another attempt; without it none is.
  std::function<bool(boost::system::error_code)> also{};
  /// Of the jitter; without it the time of the first failure is taken.
  std::optional<std::uint64_t> seed{};

  /// Returns: whether a request that has failed with `error` is asked again.
  [[nodiscard]] bool retries(boost::system::error_code error) const {
    if (error.category() != ask_category()) return also && also(error);
    return even_if_maybe_run || !may_have_run(error);
  }
};

/// The delays of one request: each is drawn from the upper half of what the policy says, so that
/// those who have failed together do not come again together.
class retry_delays {
public:
  explicit retry_delays(const retry_policy& of) noexcept
      : longest_{of.max_delay},
        next_{std::min(of.min_delay, of.max_delay)},
        random_{of.seed ? *of.seed : static_cast<std::uint64_t>(now().time_since_epoch().count())} {
  }

  [[nodiscard]] duration next() noexcept {
    duration whole = next_;
    next_ = next_ > longest_ / 2 ? longest_ : next_ * 2;
    auto half = static_cast<std::uint64_t>(whole.count() / 2);
    return whole - duration{static_cast<duration::rep>(random_.below(half + 1))};
  }

private:
  duration longest_;
  duration next_;
  pal::random random_;
};

/// What an attempt yields: `attempt()` makes a task or an operation. It may take an ask_limit,
/// which is what is left of the policy's time: `[&](ask_limit left) { return to.ask(m, left); }`.
template <class Attempt>
auto begin_attempt(Attempt& attempt, ask_limit left) {
  if constexpr (std::is_invocable_v<Attempt&, ask_limit>) {
    return attempt(left);
  } else {
    return attempt();
  }
}

/// The type that awaiting an attempt yields.
template <class Awaited>
struct yield_of_attempt {
  using type = std::remove_cvref_t<detail::yield_of<Awaited>>;
};
template <class T>
struct yield_of_attempt<task<T>> {
  using type = T;
};
template <class Attempt>
using attempt_value =
    typename yield_of_attempt<decltype(begin_attempt(std::declval<Attempt&>(), ask_limit{}))>::type;

/// Asks until there is an answer, as long as the policy says: `attempt` makes each request.
///
/// Asked again is by default only what was not run, so that nothing runs twice. Between attempts it
/// waits; a wait that would go past the policy's time is not begun.
///
/// Returns: the answer. Errors: that of the last attempt, as it was thrown.
/// Requires: max_attempts above zero; what `attempt` refers to lives until the await is over.
/// Cancel:   the attempt under way is cancelled, and no other begins.
/// Example:
///     retry_policy policy;
///     int sum = co_await actors::retry(policy, [&] { return counter.ask(total{}); });
template <class Attempt>
task<attempt_value<Attempt>> retry(retry_policy policy, Attempt attempt) {
  if (policy.max_attempts == 0) misuse("retry(policy, ...): max_attempts must be 1 or more [A24]");
  const bool is_limited = policy.within > duration::zero();
  const time_point end = now() + policy.within;
  std::optional<retry_delays> delays;
  for (std::size_t left = policy.max_attempts;;) {
    ask_limit limit{};
    if (is_limited) limit = troupe::within{end - now()};
    duration delay{};
    try {
      auto asked = begin_attempt(attempt, limit);
      co_return co_await std::move(asked);
    } catch (const system_error& error) {
      if (--left == 0 || !policy.retries(error.code())) throw;
      if (!delays) delays.emplace(policy);
      delay = delays->next();
      if (is_limited && now() + delay >= end) throw;
    }
    co_await sleep_for(delay);
  }
}

}  // namespace troupe::inline v0_1::actors
