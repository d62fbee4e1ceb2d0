#include <actors/circuit_breaker.hpp>

#include <string>

#include <troupe/base/assert.hpp>

namespace troupe::inline v0_1::actors {

namespace {

class breaker_errors final : public boost::system::error_category {
public:
  const char* name() const noexcept override { return "troupe.breaker"; }
  std::string message(int) const override {
    return "the breaker is open, as too many requests have failed (not run)";
  }
};

}  // namespace

const boost::system::error_category& breaker_category() noexcept {
  static const breaker_errors category;
  return category;
}

bool is_breaker_failure(boost::system::error_code error) noexcept {
  return error != ask_errc::rejected && error != ask_errc::deadlock &&
         error != ask_errc::canceled && error != ask_errc::canceled_unrun;
}

circuit_breaker::circuit_breaker(breaker_options options)
    : options_{options}, last_(options.window) {
  if (options_.trials == 0) misuse("circuit_breaker: `trials` must be 1 or more [A15]");
  if (options_.window == 0) misuse("circuit_breaker: `window` must be 1 or more [A16]");
  if (options_.max_failure_ratio < 0 || options_.max_failure_ratio > 1) {
    misuse("circuit_breaker: `max_failure_ratio` must be from 0 to 1 [A17]");
  }
}

breaker_state circuit_breaker::state() const {
  pal::lock guard{mutex_};
  return state_at(now());
}

breaker_state circuit_breaker::state_at(time_point present) const noexcept {
  bool is_over = state_ == breaker_state::open && present - opened_at_ >= options_.open_time;
  return is_over ? breaker_state::half_open : state_;
}

std::uint64_t circuit_breaker::enter() {
  pal::lock guard{mutex_};
  breaker_state present = state_at(now());
  if (present != state_) change_to(present);
  bool is_refused = state_ == breaker_state::open || (state_ == breaker_state::half_open &&
                                                      on_trial_ + tried_well_ >= options_.trials);
  if (is_refused) throw_error(make_error_code(breaker_errc::open));
  if (state_ == breaker_state::half_open) ++on_trial_;
  return life_;
}

void circuit_breaker::leave(std::uint64_t life, permit::outcome how) noexcept {
  pal::lock guard{mutex_};
  if (life != life_) return;
  if (state_ == breaker_state::half_open) {
    --on_trial_;
    if (how == permit::outcome::failure) return change_to(breaker_state::open);
    if (how == permit::outcome::success && ++tried_well_ == options_.trials) {
      change_to(breaker_state::closed);
    }
  } else if (how != permit::outcome::none) {
    note(how == permit::outcome::failure);
  }
}

void circuit_breaker::note(bool failed) noexcept {
  in_a_row_ = failed ? in_a_row_ + 1 : 0;
  std::size_t at = noted_++ % options_.window;
  if (noted_ > options_.window && last_[at]) --failed_of_last_;
  last_[at] = failed;
  if (failed) ++failed_of_last_;
  bool are_too_many_in_a_row = options_.max_failures > 0 && in_a_row_ >= options_.max_failures;
  bool are_too_many_of_last = options_.max_failure_ratio > 0 && noted_ >= options_.window &&
                              static_cast<double>(failed_of_last_) >=
                                  options_.max_failure_ratio * static_cast<double>(options_.window);
  if (are_too_many_in_a_row || are_too_many_of_last) change_to(breaker_state::open);
}

void circuit_breaker::change_to(breaker_state next) noexcept {
  if (next == breaker_state::open) opened_at_ = now();
  state_ = next;
  ++life_;
  in_a_row_ = 0;
  noted_ = 0;
  failed_of_last_ = 0;
  on_trial_ = 0;
  tried_well_ = 0;
}

}  // namespace troupe::inline v0_1::actors
