#pragma once

#include <csignal>
#include <cstdint>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <samples/peer.hpp>
#include <samples/program.hpp>

#include <service/line_peer.hpp>

namespace service {

#ifdef TROUPE_WITH_CAF
inline constexpr bool with_caf = true;
#else
inline constexpr bool with_caf = false;
#endif
#ifdef TROUPE_WITH_TLS
inline constexpr bool with_tls = true;
#else
inline constexpr bool with_tls = false;
#endif

/// The numbers of a balance line.
struct balance {
  std::uint64_t sent = 0, counted = 0, dropped = 0;
  std::uint64_t requests = 0, answered = 0, failed = 0, caf = 0;
  bool ok = false;
};

inline balance balance_in(const std::string& line) {
  static const std::regex form{
      R"(balance: sent=(\d+) counted=(\d+) dropped=(\d+) )"
      R"(requests=(\d+) answered=(\d+) failed=(\d+) caf=(\d+) (ok|BROKEN))"};
  std::smatch found;
  BOOST_REQUIRE_MESSAGE(std::regex_match(line, found, form), "no balance line: " << line);
  auto number = [&found](std::size_t i) { return std::stoull(found[i]); };
  return {number(1), number(2), number(3), number(4),
          number(5), number(6), number(7), found[8] == "ok"};
}

/// Waits for the end of the service, which must be in order. Returns: the balance it ends with.
inline balance end_of(samples::program& service) {
  auto lines = service.lines();
  BOOST_REQUIRE(!lines.empty());
  balance last = balance_in(lines.back());
  BOOST_TEST(last.ok);
  BOOST_TEST(service.exit_code() == 0);
  return last;
}

/// A service without a load of its own.
class serving {
public:
  explicit serving(std::vector<std::string> more = {})
      : program_{"service", with_serve(std::move(more))}, port_{samples::port_of(program_)} {}

  [[nodiscard]] samples::program& program() noexcept { return program_; }

  /// A fresh connection, whose greeting has been read.
  line_peer greeted() {
    line_peer fresh{port_};
    auto greeting = fresh.next_line();
    BOOST_REQUIRE(greeting);
    BOOST_TEST_REQUIRE(greeting->starts_with("troupe service, connection "));
    return fresh;
  }
  line_peer connected() { return line_peer{port_}; }

  /// Ctrl-C. Returns: the balance that the service ends with, in order.
  balance stop() {
    program_.send_signal(SIGINT);
    return end_of(program_);
  }

private:
  static std::vector<std::string> with_serve(std::vector<std::string> more) {
    more.insert(more.begin(), "--serve");
    return more;
  }

  samples::program program_;
  std::uint16_t port_;
};

}  // namespace service
