#pragma once

#include <boost/system/error_code.hpp>

#include <troupe/base/result.hpp>

namespace troupe::inline v0_1::tls {

/// What can go wrong in TLS itself. Errors of the stream below keep their own codes.
enum class errc {
  truncated = 1,        ///< The peer has ended without TLS's own end: bytes may be missing.
  not_tls,              ///< What came first is no TLS.
  certificate_refused,  ///< We do not trust the certificate of the peer, or it has none.
  refused_by_peer,      ///< The peer has broken off with an alert; it knows why.
  protocol,             ///< The peer broke the rules of TLS, or nothing suits both sides.
  unusable_setting,     ///< A certificate, key or option of a configuration cannot be used.
};

/// The category of errc; its messages are one line each.
const boost::system::error_category& error_category() noexcept;

inline boost::system::error_code make_error_code(errc code) noexcept {
  return {static_cast<int>(code), error_category()};
}

}  // namespace troupe::inline v0_1::tls

template <>
struct boost::system::is_error_code_enum<troupe::tls::errc> : std::true_type {};
