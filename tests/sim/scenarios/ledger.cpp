#include "ledger.hpp"

#include <algorithm>

namespace troupe::scenarios {

std::size_t ledger::open(std::size_t sender, std::size_t receiver) {
  entries_.push_back({.sender = sender, .receiver = receiver});
  return entries_.size() - 1;
}

void ledger::accept(std::size_t number) {
  entry& mine = entries_[number];
  mine.is_accepted = true;
  if (!mine.has_begun && !mine.has_ended) ++waiting_[mine.receiver];
}

void ledger::hand_back(std::size_t number) {
  entry& mine = entries_[number];
  scene_.check(!mine.has_begun, "letter {} was run, and its sender was told that it was not sent",
               number);
  mine.is_handed_back = true;
}

void ledger::begin(std::size_t number) {
  entry& mine = entries_[number];
  scene_.check(!mine.has_begun, "letter {} is run twice", number);
  scene_.check(!mine.is_handed_back, "letter {} is run after it was handed back", number);
  scene_.check(!mine.has_ended, "letter {} is run after its end", number);
  mine.has_begun = true;
  if (mine.is_accepted) --waiting_[mine.receiver];
  std::size_t& latest = latest_[{mine.sender, mine.receiver}];
  scene_.check(number + 1 > latest, "receiver {} runs letter {} of sender {} after letter {}",
               mine.receiver, number, mine.sender, latest - 1);
  latest = number + 1;
}

void ledger::end(std::size_t number) {
  entry& mine = entries_[number];
  scene_.check(!mine.has_ended, "letter {} is destroyed twice", number);
  mine.has_ended = true;
  if (mine.is_accepted && !mine.has_begun) --waiting_[mine.receiver];
}

std::size_t ledger::waiting_at(std::size_t receiver) const {
  auto found = waiting_.find(receiver);
  return found == waiting_.end() ? 0 : found->second;
}

void ledger::settle_ends() {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const entry& each = entries_[i];
    scene_.check(each.has_ended, "letter {} to receiver {} leaks", i, each.receiver);
    scene_.check(each.is_accepted || !each.has_begun || each.is_handed_back,
                 "letter {} is run, and its sender was told nothing", i);
  }
}

void ledger::settle() {
  settle_ends();
  auto lost = std::count_if(entries_.begin(), entries_.end(),
                            [](const entry& each) { return each.is_accepted && !each.has_begun; });
  scene_.check(static_cast<std::size_t>(lost) == scene_.undelivered_letters(),
               "{} letters were accepted and not run, {} were reported as undelivered", lost,
               scene_.undelivered_letters());
}

}  // namespace troupe::scenarios
