#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <troupe/io/resolver.hpp>

namespace troupe::inline v0_1::net {

/// The names that the system knows (getaddrinfo): its files, DNS, whatever it is set up for.
///
/// Numeric addresses, and `localhost` with a numeric port, are answered in place; all else is
/// looked up on the blocking pool.
/// Cancel: the wait ends at once; the thread goes on alone until the system has answered.
[[nodiscard]] io::resolver& system_names() noexcept;

/// Looks a name up in system_names().
///
/// Returns: the addresses, the system's favourites first, with the port of the service.
/// Errors:  system_error whose text names host and service: io::name_errc, or the system's code.
///          Outside a runtime: a misuse.
/// Example: `std::vector<io::endpoint> found = co_await net::resolve("example.com", "https");`
[[nodiscard]] task<std::vector<io::endpoint>> resolve(std::string host, std::string service);
[[nodiscard]] task<std::vector<io::endpoint>> resolve(std::string host, std::uint16_t port);

}  // namespace troupe::inline v0_1::net
