#include <troupe/sim/detail/name_server.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include <troupe/sched/sleep.hpp>

namespace troupe::inline v0_1::sim::detail {

namespace {

std::optional<std::uint16_t> port_of(std::string_view service) noexcept {
  using known = std::pair<std::string_view, std::uint16_t>;
  constexpr std::array<known, 4> services{
      known{"domain", std::uint16_t{53}}, known{"http", std::uint16_t{80}},
      known{"https", std::uint16_t{443}}, known{"ssh", std::uint16_t{22}}};
  for (auto [name, port] : services) {
    if (name == service) return port;
  }
  std::uint16_t port = 0;
  const char* last = service.data() + service.size();
  auto [end, error] = std::from_chars(service.data(), last, port);
  if (error != std::errc{} || end != last) return std::nullopt;
  return port;
}

}  // namespace

result<io::endpoint> name_server::look_up(const std::string& host,
                                          const std::string& service) const noexcept {
  if (net_.names_are_down) return make_error_code(io::name_errc::try_again);
  std::optional<std::uint16_t> port = port_of(service);
  if (!port) return make_error_code(io::name_errc::unknown_service);
  const machine* found = net_.named(host);
  if (found == nullptr) return make_error_code(io::name_errc::not_found);
  return with_port(found->self.endpoint(), *port);
}

task<std::vector<io::endpoint>> name_server::resolve(std::string host, std::string service) {
  // There and back again.
  co_await sleep_for(2 * net_.pick(net_.usual.least_delay, net_.usual.most_delay));
  result<io::endpoint> found = look_up(host, service);
  if (found.has_error()) {
    throw system_error{found.error(), "cannot resolve " + host + ":" + service};
  }
  std::vector<io::endpoint> all;
  all.push_back(*found);
  co_return all;
}

}  // namespace troupe::inline v0_1::sim::detail
