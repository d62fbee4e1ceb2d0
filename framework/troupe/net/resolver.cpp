#include <troupe/net/resolver.hpp>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <utility>

#include <netdb.h>

#include <troupe/io/simulated_network.hpp>
#include <troupe/net/detail/address.hpp>
#include <troupe/net/detail/owned_fd.hpp>
#include <troupe/sched/spawn_blocking.hpp>

namespace troupe::inline v0_1::net {

namespace {

using endpoints = std::vector<io::endpoint>;

boost::system::error_code error_of(int code, int number) noexcept {
  switch (code) {
    case EAI_NONAME:
    case EAI_NODATA:
    case EAI_ADDRFAMILY:
      return io::name_errc::not_found;
    case EAI_AGAIN:
      return io::name_errc::try_again;
    case EAI_SERVICE:
      return io::name_errc::unknown_service;
    case EAI_MEMORY:
      return make_error_code(boost::system::errc::not_enough_memory);
    case EAI_SYSTEM:
      return detail::last_error(number);
    default:
      return io::name_errc::failed;
  }
}

// Blocks. With a port the service is not asked for, so that its number need not be known.
result<endpoints> look_up(const std::string& host, const std::string& service,
                          std::optional<std::uint16_t> port) {
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  int code = ::getaddrinfo(host.c_str(), port ? nullptr : service.c_str(), &wanted, &found);
  if (code != 0) return error_of(code, errno);
  std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner{found, &::freeaddrinfo};
  endpoints all;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    std::optional<io::endpoint> at = detail::to_endpoint(*each->ai_addr);
    if (!at) continue;
    if (port) at = detail::with_port(*at, *port);
    if (std::find(all.begin(), all.end(), *at) == all.end()) all.push_back(*at);
  }
  if (all.empty()) return make_error_code(io::name_errc::not_found);
  return all;
}

[[noreturn]] void fail(boost::system::error_code code, const std::string& host,
                       const std::string& service) {
  throw system_error{code, "cannot resolve " + host + ":" + service};
}

class system_resolver final : public io::resolver {
public:
  task<endpoints> resolve(std::string host, std::string service) override {
    std::optional<std::uint16_t> port = detail::port_in(service);
    if (port) {
      if (auto numeric = io::endpoint::parse(host, *port)) {
        endpoints one;
        one.push_back(*numeric);
        co_return one;
      }
    }
    // Colons are in no name, only in addresses. A 0 would end the name for the system, not for us.
    bool is_none = host.empty() || host.find('\0') != host.npos || service.empty() ||
                   (port && host.find(':') != host.npos);
    if (is_none) fail(make_error_code(boost::system::errc::invalid_argument), host, service);
    if (io::simulated_network* simulated = io::simulated_network::current()) {
      co_return co_await simulated->names().resolve(std::move(host), std::move(service));
    }
    auto work = [host, service, port] { return look_up(host, service, port); };
    try {
      co_return co_await spawn_blocking(std::move(work));
    } catch (const system_error& error) {
      fail(error.code(), host, service);
    }
  }
};

}  // namespace

io::resolver& system_names() noexcept {
  static system_resolver instance;
  return instance;
}

task<std::vector<io::endpoint>> resolve(std::string host, std::string service) {
  return system_names().resolve(std::move(host), std::move(service));
}

task<std::vector<io::endpoint>> resolve(std::string host, std::uint16_t port) {
  return system_names().resolve(std::move(host), std::to_string(port));
}

}  // namespace troupe::inline v0_1::net
