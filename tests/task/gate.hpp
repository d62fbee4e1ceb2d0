#pragma once

#include <troupe/task/operation.hpp>
#include <troupe/task/waker.hpp>

namespace troupe::test {

/// Something to wait for, wholly in the hands of the test. Each opening lets one wait pass.
class gate {
public:
  gate() = default;
  gate(const gate&) = delete;
  gate& operator=(const gate&) = delete;

  /// Lets one wait pass, and wakes it.
  void open() {
    ++openings_;
    key_.wake();
  }
  /// Wakes the wait without letting it pass.
  void wake_in_vain() { key_.wake(); }

  /// Returns: how many waits are enlisted now.
  [[nodiscard]] int enlisted() const { return enlisted_; }
  [[nodiscard]] int openings() const { return openings_; }

  class pass_operation {
  public:
    static constexpr const char* name = "a gate";

    explicit pass_operation(gate& awaited) noexcept : gate_{&awaited} {}
    bool poll() noexcept {
      if (gate_->openings_ == 0) return false;
      --gate_->openings_;
      return true;
    }
    bool enlist(waker key) noexcept {
      if (gate_->openings_ > 0) return false;
      gate_->key_ = key;
      ++gate_->enlisted_;
      is_enlisted_ = true;
      return true;
    }
    void delist() noexcept {
      if (is_enlisted_) --gate_->enlisted_;
      is_enlisted_ = false;
    }
    void take() noexcept {}

  private:
    gate* gate_;
    bool is_enlisted_ = false;
  };

  [[nodiscard]] pass_operation pass() noexcept { return pass_operation{*this}; }

private:
  int openings_ = 0;
  int enlisted_ = 0;
  waker key_;
};

}  // namespace troupe::test
