// Decodes: framework/troupe/io/endpoint.cpp
// An address that is read is written so that it reads as the same one; what is no address is
// refused.

#include <algorithm>
#include <string>

#include <troupe/io/endpoint.hpp>

#include <fuzz/input.hpp>

namespace troupe::fuzz {

namespace {

using io::endpoint;

void round_trip(const endpoint& at) {
  std::string host = at.host();
  auto again = endpoint::parse(host, at.port());
  require(again.has_value() && *again == at, "what is written reads as the same address");
  require(again->host() == host, "and is written in the same way");
  std::string port = ":" + std::to_string(at.port());
  require(at.text() == (at.is_v6() ? "[" + host + "]" : host) + port, "the text has host and port");
}

void read(const std::string& text, std::uint16_t port) {
  auto at = endpoint::parse(text, port);
  if (!at) {
    require(at.error() == boost::system::errc::invalid_argument, "refused as no address");
    return;
  }
  require(at->port() == port, "the port is the one given");
  require(at->is_v6() == (text.find(':') != text.npos), "colons, and they alone, are of IPv6");
  require(at->scope() == 0 || text.find('%') != text.npos, "no scope that was not asked for");
  require(at->scope() != 0 || text.find('%') == text.npos, "no scope that is left out");
  round_trip(*at);
  std::string longer = text + '\0';
  require(endpoint::parse(longer, port).has_error(), "a zero is in no address");
  longer.back() = ' ';
  // A name of an interface may end with a space.
  require(text.find('%') != text.npos || endpoint::parse(longer, port).has_error(),
          "nothing may follow an address");
}

void write(input& from) {
  std::uint16_t port = from.two_bytes();
  std::array<std::uint8_t, 4> v4{};
  std::generate(v4.begin(), v4.end(), [&] { return from.byte(); });
  round_trip(endpoint::v4(v4, port));
  endpoint::bytes v6{};
  std::generate(v6.begin(), v6.end(), [&] { return from.byte(); });
  std::uint32_t scope = from.four_bytes();
  round_trip(endpoint::v6(v6, port, scope));
  endpoint other = endpoint::v6(v6, port, scope + 1);
  require(endpoint::v6(v6, port, scope) != other, "a scope tells addresses apart");
}

}  // namespace

}  // namespace troupe::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace troupe::fuzz;
  input from{data, size};
  if (from.byte() % 2 == 0) {
    std::uint16_t port = from.two_bytes();
    read(from.rest(), port);
  } else {
    write(from);
  }
  return 0;
}
