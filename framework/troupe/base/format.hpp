#pragma once

#include <string_view>

#include <fmt/format.h>

#include <troupe/base/result.hpp>

/// What fmt prints of the errors of the library: their one line, with the options of a string.
/// Apart from result.hpp, so that who prints nothing compiles no fmt.

template <>
struct fmt::formatter<boost::system::error_code> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(const boost::system::error_code& code, Context& to) const {
    return fmt::formatter<std::string_view>::format(code.message(), to);
  }
};

template <>
struct fmt::formatter<troupe::errc> : fmt::formatter<boost::system::error_code> {
  template <class Context>
  auto format(troupe::errc code, Context& to) const {
    return fmt::formatter<boost::system::error_code>::format(make_error_code(code), to);
  }
};
