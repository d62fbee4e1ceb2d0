#include "hall.hpp"

#include <algorithm>
#include <utility>

namespace chat {

std::string hall::on(const arrive& m) {
  self(this).monitor(m.who);
  std::string name = "guest" + std::to_string(++totals_.guests);
  guests_[m.who.id()].name = name;
  return name;
}

bool hall::on(const rename& m) {
  bool is_taken = std::any_of(guests_.begin(), guests_.end(), [&](const auto& each) {
    return each.second.name == m.name && each.first != m.who;
  });
  if (!is_taken) guests_[m.who].name = m.name;
  return !is_taken;
}

troupe::ref<room> hall::on(const enter& m) {
  guest_entry& who = guests_[m.who];
  auto found = rooms_.find(m.room_name);
  if (found == rooms_.end()) {
    found = rooms_.emplace(m.room_name, room_entry{troupe::spawn<room>()}).first;
    ++totals_.rooms;
  }
  ++found->second.guests;
  troupe::ref<room> at = found->second.at;
  leave(std::exchange(who.room_name, m.room_name));
  return at;
}

std::vector<std::string> hall::on(look_around m) const {
  std::vector<std::string> names;
  auto asking = guests_.find(m.who);
  if (asking == guests_.end()) return names;
  for (const auto& [id, each] : guests_) {
    if (each.room_name == asking->second.room_name) names.push_back(each.name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

troupe::task<> hall::on(const troupe::down& ended) {
  auto found = guests_.find(ended.who);
  if (found == guests_.end()) co_return;
  guest_entry gone = std::move(found->second);
  guests_.erase(found);
  bool was_slow = ended.why.kind == troupe::exit_kind::killed;  // By its room.
  if (was_slow) ++totals_.too_slow;
  auto from = rooms_.find(gone.room_name);
  if (from == rooms_.end()) co_return;
  troupe::ref<room> at = from->second.at;
  leave(gone.room_name);
  said news = say("* " + gone.name + (was_slow ? " was too slow" : " has left"));
  // At the stop of the program a room may have ended first, and nobody is left to be told.
  (void)co_await at.send(troupe::take(news)).as_result();
}

void hall::leave(const std::string& room_name) {
  auto found = rooms_.find(room_name);
  if (found != rooms_.end() && --found->second.guests == 0) rooms_.erase(found);
}

}  // namespace chat
