#include <troupe/net/detail/connect_race.hpp>

#include <new>
#include <utility>

namespace troupe::inline v0_1::net::detail {

std::vector<io::endpoint> families_in_turn(const std::vector<io::endpoint>& all) {
  std::vector<io::endpoint> of_first, of_other, mixed;
  for (const auto& each : all) {
    (each.is_v6() == all.front().is_v6() ? of_first : of_other).push_back(each);
  }
  mixed.reserve(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i < of_first.size()) mixed.push_back(of_first[i]);
    if (i < of_other.size()) mixed.push_back(of_other[i]);
  }
  return mixed;
}

connect_race::connect_race(dial_function dial, std::vector<io::endpoint> targets,
                           duration next_after)
    : dial_{std::move(dial)},
      targets_{std::move(targets)},
      next_after_{next_after},
      last_error_{make_error_code(boost::system::errc::address_not_available)} {
  attempts_.reserve(targets_.size());  // poll() must not throw.
}

bool connect_race::poll() noexcept {
  if (outcome_) return true;
  look_at_attempts();
  while (!outcome_ && has_next() && (attempts_.empty() || now() >= next_at_)) begin_next();
  if (!outcome_ && attempts_.empty()) outcome_ = last_error_;
  if (outcome_) attempts_.clear();
  return outcome_.has_value();
}

void connect_race::look_at_attempts() noexcept {
  for (auto each = attempts_.begin(); each != attempts_.end();) {
    io::attempt<void> finished = (*each)->try_finish_connect();
    if (!finished) {
      ++each;
    } else if (finished->has_error()) {
      last_error_ = finished->error();
      each = attempts_.erase(each);
    } else {
      outcome_ = io::stream{std::move(*each)};
      return;
    }
  }
}

void connect_race::begin_next() noexcept {
  try {
    result<io::connecting_device_ptr> begun = dial_(targets_[next_++]);
    if (begun.has_error()) {
      last_error_ = begun.error();
      return;
    }
    attempts_.push_back(std::move(*begun));
  } catch (const system_error& error) {
    last_error_ = error.code();
    return;
  } catch (const std::bad_alloc&) {
    last_error_ = make_error_code(boost::system::errc::not_enough_memory);
    return;
  }
  next_at_ = now() + next_after_;
  look_at_attempts();
}

bool connect_race::enlist(waker key) noexcept {
  for (auto& each : attempts_) {
    if (!each->enlist_write(key)) return false;
  }
  if (has_next()) {
    alarm_.emplace(next_at_);
    alarm_->start();
    if (alarm_->poll() || !alarm_->enlist(key)) return false;
  }
  return count_.begin(true);
}

void connect_race::delist() noexcept {
  (void)count_.end();
  for (auto& each : attempts_) each->delist_write();
  if (alarm_) alarm_->delist();
  alarm_.reset();
}

}  // namespace troupe::inline v0_1::net::detail
