#include <troupe/node/detail/node_self.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include <troupe/io/simulated_network.hpp>
#include <troupe/net/tcp.hpp>
#include <troupe/sched/random.hpp>
#include <troupe/tls/tls.hpp>

namespace troupe::inline v0_1::detail {

namespace {

bool is_loopback(const std::string& host) {
  auto numeric = io::endpoint::parse(host, 0);
  if (!numeric) return false;
  const auto& bytes = numeric->address();
  if (!numeric->is_v6()) return bytes[0] == 127;
  return bytes.back() == 1 &&
         std::all_of(bytes.begin(), bytes.end() - 1, [](std::uint8_t each) { return each == 0; });
}

std::string name_of_process() {
  // In a simulation all has to be the same each time.
  if (io::simulated_network::current() != nullptr) return "node";
  char host[256] = {};
  if (gethostname(host, sizeof(host) - 1) != 0) host[0] = '?';
  return fmt::format("{}/{}", host, getpid());
}

}  // namespace

node_address node_address::parse(const std::string& text) {
  std::size_t colon = text.rfind(':');
  node_address found;
  bool is_well = colon != std::string::npos && colon > 0;
  if (is_well) {
    found.host = text.substr(0, colon);
    if (found.host.front() == '[' && found.host.back() == ']') {
      found.host = found.host.substr(1, found.host.size() - 2);
    }
    const char* end = text.data() + text.size();
    auto [at, error] = std::from_chars(text.data() + colon + 1, end, found.port);
    is_well = error == std::errc{} && at == end && !found.host.empty();
  }
  if (!is_well) {
    throw_error(make_error_code(boost::system::errc::invalid_argument),
                fmt::format("'{}' is no address of a node, such as 127.0.0.1:7000", text));
  }
  return found;
}

node_self::node_self(node_options&& options) : options_{std::move(options)} {
  hello_.name = options_.name.empty() ? name_of_process() : options_.name.substr(0, 255);
  hello_.id_high = random_number();
  hello_.id_low = random_number();
  const auto& with = options_.security.tls();
  if (!with) return;
  // For TLS alone both would do: the roots of the system are trusted, and clients are not asked.
  if (with->trusted.empty()) {
    throw_error(make_error_code(tls::errc::unusable_setting),
                "TLS: trusted: is missing, and without it anybody may be a node");
  }
  tls::client_config client;
  client.trusted = with->trusted;
  client.self = with->self;
  client_tls_.emplace(client);
  tls::server_config server;
  server.self = with->self;
  server.trusted_clients = with->trusted;
  server_tls_.emplace(server);
}

void node_self::check_safety(const std::string& host) const {
  if (options_.security.tls() || options_.security.allows_plain() || is_loopback(host)) return;
  throw_error(make_error_code(node_errc::unsafe_address), host);
}

task<io::stream> node_self::connect(const node_address& to) const {
  check_safety(to.host);
  io::stream peer = co_await net::tcp_connect(to.host, to.port);
  if (!client_tls_) co_return peer;
  std::string name = options_.security.tls()->server_name;
  if (name.empty()) name = to.host;
  const tls::connect_options limits{options_.handshake_limit};
  io::stream safe = co_await tls::connect(std::move(peer), *client_tls_, std::move(name), limits);
  co_return safe;
}

io::listener node_self::listen() const {
  auto at = node_address::parse(options_.listen_on);
  check_safety(at.host);
  return net::tcp_listen(at.host, at.port);
}

task<io::stream> node_self::secure(io::stream accepted) const {
  if (!server_tls_) co_return accepted;
  io::stream safe =
      co_await tls::accept(std::move(accepted), *server_tls_, {options_.handshake_limit});
  co_return safe;
}

std::string node_self::objection_to(const io::stream& secured) const {
  if (!server_tls_) return {};
  const auto& allowed = options_.security.tls()->clients;
  if (allowed.empty()) return {};
  std::string subject = tls::info_of(secured)->peer_subject;
  if (std::find(allowed.begin(), allowed.end(), subject) != allowed.end()) return {};
  return fmt::format("'{}' is not among the clients that may connect", subject);
}

}  // namespace troupe::inline v0_1::detail
