#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "scene.hpp"

namespace troupe::scenarios {

/// What becomes of each letter: it is accepted or handed back, it is run once or reported as
/// undelivered, those of one pair in their order, and it is destroyed.
class ledger {
public:
  explicit ledger(scene& of) : scene_{of} {}

  /// Returns: the number of a new letter.
  std::size_t open(std::size_t sender, std::size_t receiver);
  void accept(std::size_t number);
  void hand_back(std::size_t number);
  /// Its handler has begun.
  void begin(std::size_t number);
  void end(std::size_t number);

  /// Returns: letters that are accepted, and not begun.
  [[nodiscard]] std::size_t waiting_at(std::size_t receiver) const;
  /// To be called when the world has ended: what was accepted was run or reported.
  void settle();
  /// The same where nothing is reported.
  void settle_ends();

private:
  struct entry {
    std::size_t sender = 0;
    std::size_t receiver = 0;
    bool is_accepted = false;
    bool is_handed_back = false;
    bool has_begun = false;
    bool has_ended = false;
  };

  scene& scene_;
  std::vector<entry> entries_;
  std::map<std::size_t, std::size_t> waiting_;                         // By receiver.
  std::map<std::pair<std::size_t, std::size_t>, std::size_t> latest_;  // Begun, by pair; plus one.
};

/// A message with a number in a ledger. `Kind` tells apart what has handlers of its own.
template <class Kind>
class letter {
public:
  letter(ledger& in, std::size_t number) noexcept : in_{&in}, number_{number} {}
  letter(letter&& other) noexcept
      : in_{std::exchange(other.in_, nullptr)}, number_{other.number_} {}
  letter& operator=(letter&& other) noexcept {
    std::swap(in_, other.in_);
    std::swap(number_, other.number_);
    return *this;
  }
  ~letter() {
    if (in_ != nullptr) in_->end(number_);
  }

  void begin() const { in_->begin(number_); }
  [[nodiscard]] std::size_t number() const noexcept { return number_; }

private:
  ledger* in_;  // Null after a move.
  std::size_t number_;
};

/// The wait for a letter to be accepted: left without that, by an exception, a stop, or the end of
/// its node, the letter was not sent.
class sending {
public:
  sending(ledger& in, std::size_t number) noexcept : in_{in}, number_{number} {}
  sending(const sending&) = delete;
  sending& operator=(const sending&) = delete;
  ~sending() {
    if (!is_accepted_) in_.hand_back(number_);
  }
  void accept() {
    is_accepted_ = true;
    in_.accept(number_);
  }

private:
  ledger& in_;
  const std::size_t number_;
  bool is_accepted_ = false;
};

}  // namespace troupe::scenarios
