#pragma once

#include <utility>

namespace troupe::test {

/// Says when it is destroyed; only the last of those that were moved from one another counts.
class witness {
public:
  explicit witness(bool& gone) noexcept : gone_{&gone} { gone = false; }
  witness(witness&& other) noexcept : gone_{std::exchange(other.gone_, nullptr)} {}
  witness& operator=(witness&&) = delete;
  ~witness() {
    if (gone_ != nullptr) *gone_ = true;
  }

private:
  bool* gone_;
};

}  // namespace troupe::test
