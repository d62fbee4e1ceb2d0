#pragma once

#include <cstdint>

#include <troupe/base/memory.hpp>
#include <troupe/pal/random.hpp>

namespace troupe::inline v0_1::sim::detail {

/// Refuses some of the blocks that nodes ask for in their turns.
class allocation_faults final : public allocation_check {
public:
  explicit allocation_faults(std::uint64_t seed) noexcept : numbers_{seed} {}
  ~allocation_faults() {
    if (one_of_ != 0) check_allocations(nullptr);
  }
  allocation_faults(const allocation_faults&) = delete;
  allocation_faults& operator=(const allocation_faults&) = delete;

  /// 0: none.
  void refuse_one_of(std::uint64_t count) noexcept {
    if ((count != 0) != (one_of_ != 0)) check_allocations(count == 0 ? nullptr : this);
    one_of_ = count;
  }
  bool refuses(std::size_t) noexcept override {
    if (!in_turn_ || one_of_ == 0 || numbers_.below(one_of_) != 0) return false;
    ++refused_;
    return true;
  }
  [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }

  /// While it lives, a node has a turn.
  class turn {
  public:
    explicit turn(allocation_faults& of) noexcept : of_{of} { of_.in_turn_ = true; }
    turn(const turn&) = delete;
    turn& operator=(const turn&) = delete;
    ~turn() { of_.in_turn_ = false; }

  private:
    allocation_faults& of_;
  };

private:
  pal::random numbers_;
  std::uint64_t one_of_ = 0;
  std::uint64_t refused_ = 0;
  bool in_turn_ = false;
};

}  // namespace troupe::inline v0_1::sim::detail
