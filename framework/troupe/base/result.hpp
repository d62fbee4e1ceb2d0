#pragma once

#include <string>
#include <utility>

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>
#include <boost/system/system_error.hpp>

#include <troupe/version.hpp>

namespace troupe::inline v0_1 {

/// A value, or the error_code that says why there is none.
template <class T>
using result = boost::system::result<T>;

/// What can go wrong in the library itself. Errors of the operating system keep their own codes.
enum class errc {
  closed = 1,     ///< The other end of a channel is gone, or has been closed.
  full,           ///< No room, and the operation does not wait.
  empty,          ///< Nothing there, and the operation does not wait.
  timed_out,      ///< The time given to an operation has passed.
  canceled,       ///< A stop request ended the operation; nothing was taken or sent.
  end_of_stream,  ///< The peer has sent all it will ever send.
  too_long,       ///< A line, a frame or a stream is longer than its limit.
};

/// The category of errc; its messages are one line each.
const boost::system::error_category& error_category() noexcept;

inline boost::system::error_code make_error_code(errc code) noexcept {
  return {static_cast<int>(code), error_category()};
}

/// Thrown where awaiting unwraps an error: code() tells which, what() says it in words.
using boost::system::system_error;

/// Returns: the result that holds no value but `code`. In generic code, where a T might itself be
/// made of an error_code (a bool, another result), a plain conversion would be ambiguous.
template <class T>
[[nodiscard]] result<T> failed_with(boost::system::error_code code) noexcept {
  return result<T>{boost::system::in_place_error, code};
}

/// Returns: the result that holds `value`.
template <class T>
[[nodiscard]] result<T> succeeded_with(T&& value) {
  return result<T>{boost::system::in_place_value, std::move(value)};
}

/// Throws `code` as a system_error.
[[noreturn]] void throw_error(boost::system::error_code code);
/// The same, with `text` before what the code says.
[[noreturn]] void throw_error(boost::system::error_code code, const std::string& text);

}  // namespace troupe::inline v0_1

template <>
struct boost::system::is_error_code_enum<troupe::errc> : std::true_type {};
