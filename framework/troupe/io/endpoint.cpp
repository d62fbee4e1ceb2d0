#include <troupe/io/endpoint.hpp>

#include <algorithm>
#include <charconv>

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>

namespace troupe::inline v0_1::io {

namespace {

// The number of an interface that is given by number or name; 0 when there is none.
std::uint32_t scope_of(const std::string& name) noexcept {
  std::uint32_t number = 0;
  const char* end = name.data() + name.size();
  auto [stop, error] = std::from_chars(name.data(), end, number);
  if (error == std::errc{} && stop == end) return number;
  return ::if_nametoindex(name.c_str());
}

}  // namespace

endpoint endpoint::v4(std::array<std::uint8_t, 4> address, std::uint16_t port) noexcept {
  endpoint made;
  std::copy(address.begin(), address.end(), made.address_.begin());
  made.port_ = port;
  return made;
}

endpoint endpoint::v6(const bytes& address, std::uint16_t port, std::uint32_t scope) noexcept {
  endpoint made;
  made.address_ = address;
  made.scope_ = scope;
  made.port_ = port;
  made.is_v6_ = true;
  return made;
}

result<endpoint> endpoint::parse(const std::string& address, std::uint16_t port) {
  boost::system::error_code invalid = make_error_code(boost::system::errc::invalid_argument);
  if (address.find('\0') != address.npos) return invalid;
  endpoint made;
  made.port_ = port;
  const char* numeric = address == "localhost" ? "127.0.0.1" : address.c_str();
  if (::inet_pton(AF_INET, numeric, made.address_.data()) == 1) return made;
  made.is_v6_ = true;
  std::size_t percent = address.find('%');
  std::string host = address.substr(0, percent);
  if (::inet_pton(AF_INET6, host.c_str(), made.address_.data()) != 1) return invalid;
  if (percent != address.npos) {
    made.scope_ = scope_of(address.substr(percent + 1));
    if (made.scope_ == 0) return invalid;
  }
  return made;
}

std::string endpoint::host() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(is_v6_ ? AF_INET6 : AF_INET, address_.data(), text.data(), text.size());
  std::string host{text.data()};
  return scope_ == 0 ? host : host + "%" + std::to_string(scope_);
}

std::string endpoint::text() const {
  return (is_v6_ ? "[" + host() + "]" : host()) + ":" + std::to_string(port_);
}

}  // namespace troupe::inline v0_1::io
