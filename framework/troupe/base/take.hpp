#pragma once

#include <type_traits>

#include <troupe/version.hpp>

namespace troupe::inline v0_1 {

/// Names a local that an operation may move from: `co_await tx.send(take(message))`.
///
/// g++ before 12.3 miscompiles a temporary aggregate with a non-trivial member inside a co_await
/// expression; where the type is such, send() refuses rvalues there, and this form is right on
/// every compiler.
template <class T>
struct taken {
  T* from;
};

/// Requires: `source` outlives the expression. It is moved from once the operation is made.
template <class T>
  requires(!std::is_const_v<T>)
[[nodiscard]] taken<T> take(T& source) noexcept {
  return taken<T>{&source};
}

namespace detail {

#if defined(__GNUC__) && !defined(__clang__) && \
    (__GNUC__ < 12 || (__GNUC__ == 12 && __GNUC_MINOR__ < 3))
template <class T>
inline constexpr bool rvalue_is_safe_to_await =
    !std::is_aggregate_v<T> || std::is_trivially_destructible_v<T>;
#else
template <class T>
inline constexpr bool rvalue_is_safe_to_await = true;
#endif

}  // namespace detail
}  // namespace troupe::inline v0_1
