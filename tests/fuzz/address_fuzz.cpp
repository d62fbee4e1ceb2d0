// Decodes: framework/troupe/net/detail/address.cpp
// What goes to the system as an address comes back from it as the same one: IP addresses, paths and
// abstract names; an address of which the system says anything at all is read without a guess.

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>

#include <sys/un.h>
#include <unistd.h>

#include <troupe/net/detail/address.hpp>

#include <fuzz/input.hpp>

namespace troupe::fuzz {

namespace {

using io::endpoint;
namespace net = troupe::net::detail;

constexpr std::size_t path_begin = offsetof(sockaddr_un, sun_path);
constexpr std::size_t most_path_bytes = sizeof(sockaddr_un) - path_begin;

void round_trip(const endpoint& at) {
  net::socket_address system = net::to_socket_address(at);
  std::optional<endpoint> again = net::to_endpoint(*system.data());
  require(again == at, "the system's form reads as the same address");
  require(system.port() == at.port() && system.text() == at.text(), "and says the same");
  endpoint moved = net::with_port(at, 7);
  require(moved.port() == 7 && net::with_port(moved, at.port()) == at, "only the port is changed");
}

void of_unix(const std::string& path) {
  bool is_abstract = path.starts_with('@');
  auto at = net::unix_address(path);
  if (path.empty() || path == "@" || path.find('\0') != path.npos) {
    require(at.has_error() && at.error() == boost::system::errc::invalid_argument,
            "what names nothing is refused");
    return;
  }
  if (path.size() + (is_abstract ? 0 : 1) > most_path_bytes) {
    require(at.has_error() && at.error() == boost::system::errc::filename_too_long,
            "what has no room is refused");
    return;
  }
  require(at.has_value() && at->family() == AF_UNIX, "what has room is an address");
  require(at->size_bytes <= sizeof(sockaddr_un), "no longer than the system takes");
  require(at->text() == path && at->port() == 0, "which reads as the same path");
}

// As the system may fill it in: any length, any bytes, with no end mark.
void of_system(input& from) {
  net::socket_address made;
  std::uint8_t family = from.byte();
  constexpr int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_UNSPEC, AF_NETLINK};
  std::size_t size = from.two_bytes() % (sizeof(sockaddr_un) + 1);
  std::string bytes = from.text(most_path_bytes);
  auto* storage = reinterpret_cast<std::byte*>(&made.storage);
  std::memset(storage + path_begin, 'x', sizeof made.storage - path_begin);
  std::memcpy(storage + path_begin, bytes.data(), bytes.size());
  made.storage.ss_family = static_cast<sa_family_t>(families[family % std::size(families)]);
  made.size_bytes = static_cast<socklen_t>(size);
  std::string text = made.text();
  if (made.family() == AF_UNIX) {
    require(text.size() <= (size > path_begin ? size - path_begin : 0), "no byte too many");
    return;
  }
  std::optional<endpoint> at = net::to_endpoint(*made.data());
  bool is_ip = made.family() == AF_INET || made.family() == AF_INET6;
  require(at.has_value() == is_ip && text.empty() != is_ip, "only an IP address is one");
  if (at) round_trip(*at);
}

void of_descriptor(int fd) {
  require(net::local_address(fd).text().empty(), "what is no socket has no address");
  require(net::peer_address(fd).text().empty(), "and no peer");
}

void of_host(const std::string& host, std::uint16_t port) {
  std::string text = net::host_and_port(host, port);
  require(text.ends_with(":" + std::to_string(port)), "the port is at the end");
  require(text.starts_with('[') || text.starts_with(host), "the host is at the front");
  if (auto at = endpoint::parse(host, port); at && host == at->host()) {
    require(text == at->text(), "and an address is written as its endpoint writes it");
  }
}

void of_port(const std::string& text) {
  auto port = net::port_in(text);
  bool is_number = !text.empty() && text.find_first_not_of("0123456789") == text.npos;
  std::size_t zeros = std::min(text.find_first_not_of('0'), text.size());
  if (!is_number || text.size() - zeros > 5) {
    require(!port, "what is no number, or has too many digits, is no port");
    return;
  }
  std::uint32_t value = 0;
  for (char digit : text) value = value * 10 + static_cast<std::uint32_t>(digit - '0');
  require(port.has_value() == (value <= 65'535), "a port is a number of 16 bits");
  require(!port || *port == value, "the port is the one that stands there");
}

}  // namespace

}  // namespace troupe::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace troupe::fuzz;
  input from{data, size};
  switch (from.byte() % 5) {
    case 0:
      of_unix(from.rest());
      break;
    case 1:
      of_system(from);
      break;
    case 2: {
      std::uint16_t port = from.two_bytes();
      of_host(from.rest(), port);
      break;
    }
    case 3:
      of_port(from.rest());
      break;
    default: {
      endpoint::bytes v6{};
      std::generate(v6.begin(), v6.end(), [&] { return from.byte(); });
      round_trip(endpoint::v6(v6, from.two_bytes(), from.four_bytes()));
      round_trip(endpoint::v4({v6[0], v6[1], v6[2], v6[3]}, from.two_bytes()));
      of_descriptor(-1);
    }
  }
  return 0;
}
