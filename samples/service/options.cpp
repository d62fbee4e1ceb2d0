#include "options.hpp"

#include <cstdlib>
#include <limits>
#include <string_view>

#include <fmt/core.h>

#include "../options.hpp"

namespace service {

namespace {

[[noreturn]] void refuse(const char* what) {
  fmt::print(stderr, "service: {}\n", what);
  std::exit(2);
}

// Seconds, also parts of them.
troupe::duration time_in(samples::options& given, std::string_view name,
                         troupe::duration otherwise) {
  using seconds = std::chrono::duration<double>;
  seconds wanted{given.number(name, seconds{otherwise}.count(), 0.01, 86'400.0)};
  return std::chrono::duration_cast<troupe::duration>(wanted);
}

}  // namespace

options parse_options(int argc, char** argv) {
  samples::options given{argc, argv};
  options wanted;
  wanted.serve = given.flag("--serve");
  wanted.port = given.number<std::uint16_t>("--port", 0, 0, 65535);
  // 0 is out of range for these, so it stands for "not given".
  auto seconds = given.number<std::int64_t>("--seconds", 0, 1, 1'000'000);
  auto connections = given.number<std::size_t>("--connections", 0, 1, 10'000);
  auto seed =
      given.number<std::uint32_t>("--seed", 0, 1, std::numeric_limits<std::uint32_t>::max());
  wanted.workers = given.number<std::size_t>("--workers", 0, 1, 256);
  wanted.max_connections =
      given.number("--limit", wanted.max_connections, std::size_t{1}, std::size_t{1'000'000});
  wanted.idle = time_in(given, "--idle", wanted.idle);
  wanted.drain = time_in(given, "--drain", wanted.drain);
  wanted.each_second = given.flag("--each-second");
  wanted.accounts = given.flag("--accounts");
  wanted.chaos = given.flag("--chaos");
  auto kills = given.number<std::uint64_t>("--kills", 0, 1, 50);
  wanted.lost_bytes = given.number<std::uint64_t>("--lose", 0, 1, 1'000'000);
  wanted.nodes = given.flag("--nodes");
  wanted.peer_port = given.number<std::uint16_t>("--transport-to", 0, 1, 65535);
  wanted.parent = given.number("--parent", 0, 1, 1 << 22);
  wanted.tls_certificate = given.text("--tls-cert", "FILE");
  wanted.tls_key = given.text("--tls-key", "FILE");
  auto tls_port = given.number<std::uint16_t>("--tls-port", 0, 1, 65535);
  given.end();

  if (wanted.serve && wanted.chaos) {
    refuse("--chaos needs a load, and --serve has none: leave out the one or the other");
  }
  if (wanted.tls_certificate.empty() != wanted.tls_key.empty()) {
    refuse("--tls-cert and --tls-key belong together: give both");
  }
  if (tls_port != 0 && wanted.tls_key.empty()) {
    refuse("--tls-port needs a certificate: give --tls-cert and --tls-key");
  }
  if (!wanted.serve && !wanted.tls_key.empty()) {
    refuse("the TLS port is for others, and without --serve there are none: give --serve");
  }
  wanted.tls_port = tls_port;
  if (kills != 0 && !wanted.chaos) refuse("--kills is how often --chaos kills: give both");
  if (wanted.serve && (seconds != 0 || connections != 0 || seed != 0)) {
    refuse(
        "--seconds, --connections and --seed describe the load, and --serve has none: leave out "
        "the one or the other");
  }
  if (seconds != 0) wanted.run_for = std::chrono::seconds{seconds};
  if (connections != 0) wanted.client_count = connections;
  if (seed != 0) wanted.seed = seed;
  if (kills != 0) wanted.kills_per_second = kills;
  return wanted;
}

}  // namespace service
