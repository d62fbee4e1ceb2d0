#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

#include <troupe/base/result.hpp>
#include <troupe/io/endpoint.hpp>

namespace troupe::inline v0_1::sim::detail {

/// Returns: whether the address stands for all of its machine, as 0.0.0.0 and :: do.
[[nodiscard]] inline bool is_any(const io::endpoint& at) noexcept {
  return at.address() == io::endpoint::bytes{};
}
/// Returns: whether it means the machine that uses it.
[[nodiscard]] inline bool is_loopback(const io::endpoint& at) noexcept {
  const io::endpoint::bytes& address = at.address();
  if (!at.is_v6()) return address[0] == 127;
  io::endpoint::bytes one{};
  one.back() = 1;
  return address == one;
}
[[nodiscard]] inline io::endpoint with_port(const io::endpoint& at, std::uint16_t port) noexcept {
  const io::endpoint::bytes& address = at.address();
  if (at.is_v6()) return io::endpoint::v6(address, port, at.scope());
  return io::endpoint::v4({address[0], address[1], address[2], address[3]}, port);
}

/// Which socket of a machine has which port. `Socket` tells its local_endpoint(), and whether it
/// shares it by shares_address().
template <class Socket>
class port_table {
public:
  /// Returns: the address for a socket that wants `at`, whose port is 0 for any.
  /// Errors: EADDRINUSE.
  [[nodiscard]] result<io::endpoint> claim(const io::endpoint& at, bool shares) {
    if (at.port() != 0) {
      if (is_taken(at, shares)) {
        return make_error_code(boost::system::errc::address_in_use);
      }
      return at;
    }
    for (std::uint32_t tried = 0; tried < last_free - first_free; ++tried) {
      io::endpoint found = with_port(at, next_free_);
      next_free_ =
          next_free_ == last_free ? first_free : static_cast<std::uint16_t>(next_free_ + 1);
      if (!is_taken(found, false)) return found;
    }
    return make_error_code(boost::system::errc::address_in_use);
  }

  void enter(Socket& made) { sockets_[made.local_endpoint().port()].push_back(&made); }
  void leave(Socket& gone) noexcept {
    auto at = sockets_.find(gone.local_endpoint().port());
    if (at == sockets_.end()) return;
    std::erase(at->second, &gone);
    if (at->second.empty()) sockets_.erase(at);
  }

  /// Returns: the socket that has what goes to `to`; of several, the one for that address alone,
  ///          and the youngest. Null for none.
  [[nodiscard]] Socket* find(const io::endpoint& to) const noexcept {
    auto at = sockets_.find(to.port());
    if (at == sockets_.end()) return nullptr;
    Socket* best = nullptr;
    for (Socket* each : at->second) {
      io::endpoint bound = each->local_endpoint();
      if (bound == to) return each;
      bool takes_all = is_any(bound) && (bound.is_v6() || !to.is_v6());
      if (takes_all) best = each;
    }
    return best;
  }

private:
  static constexpr std::uint16_t first_free = 32768, last_free = 60999;

  [[nodiscard]] bool is_taken(const io::endpoint& at, bool shares) const {
    auto found = sockets_.find(at.port());
    if (found == sockets_.end()) return false;
    return std::any_of(found->second.begin(), found->second.end(), [&](Socket* each) {
      io::endpoint bound = each->local_endpoint();
      bool overlaps = bound == at || is_any(bound) || is_any(at);
      return overlaps && !(shares && each->shares_address());
    });
  }

  std::map<std::uint16_t, std::vector<Socket*>> sockets_;
  std::uint16_t next_free_ = first_free;
};

}  // namespace troupe::inline v0_1::sim::detail
