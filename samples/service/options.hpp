#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include <troupe/pal/clock.hpp>

namespace service {

/// What the program was asked for.
struct options {
  bool serve = false;       // Stay up for others; no load of its own.
  std::uint16_t port = 0;   // 0: any free one.
  std::size_t workers = 0;  // 0: one per core.
  std::size_t max_connections = 10'000;
  troupe::duration idle = std::chrono::seconds{30};  // How long a peer may be silent, or not read.
  // At a stop, how long peers that go on asking are answered.
  troupe::duration drain = std::chrono::milliseconds{500};
  bool each_second = false;  // A line each second, also without a load.
  bool accounts = false;     // A line for each connection that has ended.

  // A second port that speaks TLS, if there is a certificate.
  std::string tls_certificate, tls_key;  // Files.
  std::uint16_t tls_port = 0;

  // The load's.
  std::chrono::seconds run_for{10};
  std::size_t client_count = 32;
  std::uint64_t seed = 1;        // Of the chaos, too.
  std::uint64_t lost_bytes = 0;  // Taken off what is counted: for a test of the balance.

  bool nodes = false;           // The transport is in a second process,
  std::uint16_t peer_port = 0;  // as which this one was started: whom it pings,
  int parent = 0;               // and for whom.

  bool chaos = false;  // Kill parts of the service at random.
  std::uint64_t kills_per_second = 4;
};

/// Reads the command line. Wrong usage is one line on stderr, and the end of the process, code 2.
[[nodiscard]] options parse_options(int argc, char** argv);

}  // namespace service
