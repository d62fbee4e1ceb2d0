#pragma once

#include <bit>
#include <cstdint>
#include <source_location>

#include <troupe/version.hpp>

namespace troupe::inline v0_1::detail {

/// Where a task comes from: the line that has spawned it, or the message that it handles. As large
/// as a pointer.
class task_origin {
public:
  constexpr task_origin() noexcept = default;
  task_origin(std::source_location spawned_at) noexcept
      : bits_{std::bit_cast<std::uintptr_t>(spawned_at)} {}
  /// Of a handler; `name` is that of the message's type, and static.
  static task_origin of_message(const char* name) noexcept {
    task_origin made;
    made.bits_ = reinterpret_cast<std::uintptr_t>(name) | is_message;
    return made;
  }

  /// Returns: a line 0 where it is not known, or it handles a message.
  [[nodiscard]] std::source_location spawned_at() const noexcept {
    bool is_place = (bits_ & is_message) == 0;
    return std::bit_cast<std::source_location>(is_place ? bits_ : std::uintptr_t{0});
  }
  /// Returns: null where it handles none.
  [[nodiscard]] const char* handles() const noexcept {
    bool is_place = (bits_ & is_message) == 0;
    return is_place ? nullptr : reinterpret_cast<const char*>(bits_ & ~is_message);
  }

private:
  static_assert(sizeof(std::source_location) == sizeof(std::uintptr_t));
  // No address of a program has this bit.
  static constexpr std::uintptr_t is_message = std::uintptr_t{1} << 63;

  std::uintptr_t bits_ = 0;
};

}  // namespace troupe::inline v0_1::detail
