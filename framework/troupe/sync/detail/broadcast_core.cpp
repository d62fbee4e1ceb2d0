#include <troupe/sync/detail/broadcast_core.hpp>

#include <algorithm>

namespace troupe::inline v0_1::detail {

void broadcast_core::add_sender() noexcept {
  pal::lock guard{mutex_};
  ++senders_;
}

void broadcast_core::remove_sender() noexcept {
  pal::lock guard{mutex_};
  if (senders_ == 1) {
    // Counted until it has told the others: they cannot be the last ones before.
    guard.unlock();
    sent_.end();
    guard.lock();
  }
  --senders_;
  release(guard);
}

std::uint64_t broadcast_core::add_receiver() noexcept {
  pal::lock guard{mutex_};
  ++receivers_;
  return sent_.count();
}

void broadcast_core::remove_receiver(std::uint64_t position) noexcept {
  shared_link* passed = nullptr;
  {
    pal::lock guard{mutex_};
    for (std::uint64_t at = std::max(position, oldest()); at < sent_.count(); ++at) {
      shared_link*& place = place_of(at);
      if (--place->to_pass > 0) continue;
      place->next = passed;
      passed = std::exchange(place, nullptr);
    }
    --receivers_;
    release(guard);
  }
  while (passed != nullptr) shared_link::let_go(*std::exchange(passed, passed->next));
}

std::size_t broadcast_core::send(shared_link& value) noexcept {
  shared_link* dropped = &value;
  std::size_t receivers = 0;
  {
    pal::lock guard{mutex_};
    receivers = receivers_;
    if (receivers > 0) {
      value.to_pass = receivers;
      dropped = std::exchange(place_of(sent_.count()), &value);
      sent_.advance();
    }
  }
  if (receivers > 0) sent_.tell();
  if (dropped != nullptr) shared_link::let_go(*dropped);
  return receivers;
}

broadcast_core::found broadcast_core::next(std::uint64_t& position) noexcept {
  found result;
  std::uint64_t word = sent_.word();
  if (progress::count_in(word) == position) {
    result.is_end = progress::is_end(word);
    return result;
  }
  pal::lock guard{mutex_};
  if (position < oldest()) {
    result.missed = oldest() - position;
    position = oldest();
    return result;
  }
  shared_link*& place = place_of(position++);
  result.value = place;
  if (--place->to_pass == 0) {
    place = nullptr;  // The last one takes over what the place has held.
  } else {
    result.value->hold();
  }
  return result;
}

// The last step of an end. Called with the lock, which ends here.
void broadcast_core::release(pal::lock& guard) noexcept {
  bool is_last = senders_ == 0 && receivers_ == 0;
  guard.unlock();
  if (is_last) delete this;
}

}  // namespace troupe::inline v0_1::detail
