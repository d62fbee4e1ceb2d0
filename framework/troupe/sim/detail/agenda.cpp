#include <troupe/sim/detail/agenda.hpp>

#include <algorithm>
#include <utility>

#include <troupe/base/assert.hpp>

namespace troupe::inline v0_1::sim::detail {

void agenda::at(time_point when, std::string_view what, action act) {
  entries_.push_back({std::max(when, now()), added_++, what, std::move(act)});
  std::push_heap(entries_.begin(), entries_.end());
}

std::optional<time_point> agenda::next() const noexcept {
  if (entries_.empty()) return std::nullopt;
  return entries_.front().when;
}

std::optional<std::string_view> agenda::run_due() {
  if (entries_.empty() || entries_.front().when > now()) return std::nullopt;
  std::pop_heap(entries_.begin(), entries_.end());
  entry due = std::move(entries_.back());
  entries_.pop_back();
  due.act();
  return due.what;
}

void agenda::move_to(time_point when) {
  TROUPE_ASSERT(when >= now());
  clock_.move_to(when);
}

}  // namespace troupe::inline v0_1::sim::detail
