#pragma once

#include <troupe/version.hpp>

namespace troupe::inline v0_1::detail {

/// A T that is never destroyed, for function-local statics that threads and other statics may still
/// use at the end of the process. It lies in place, so that making it needs no memory.
/// Example: `static immortal<names> all; return all.get();`
template <class T>
class immortal {
public:
  immortal() noexcept : value_{} {}
  ~immortal() {}
  immortal(const immortal&) = delete;
  immortal& operator=(const immortal&) = delete;

  [[nodiscard]] T& get() noexcept { return value_; }

private:
  union {
    T value_;
  };
};

}  // namespace troupe::inline v0_1::detail
