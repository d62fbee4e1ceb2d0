#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <troupe/sim/detail/agenda.hpp>
#include <troupe/sim/detail/network_driver.hpp>
#include <troupe/sim/network.hpp>

namespace troupe::test {

/// A network of two hosts with a program on each, without any runtime: the test calls the devices,
/// and runs what happens between them.
struct two_hosts {
  explicit two_hosts(std::uint64_t seed = 1) : plan{seed} {}

  /// Runs what happens until nothing is left to happen.
  void run() {
    while (plan.next()) {
      if (!plan.run_due()) plan.move_to(*plan.next());
    }
  }
  /// Runs what happens in the next `length`.
  void run(duration length) {
    time_point until = plan.now() + length;
    while (plan.next() && *plan.next() <= until) {
      if (!plan.run_due()) plan.move_to(*plan.next());
    }
    plan.move_to(until);
  }

  /// Connects `left` to `right` at a port of its own.
  std::pair<io::stream_device_ptr, io::stream_device_ptr> connect() {
    auto door = right.listen(io::endpoint::parse("0.0.0.0", 0).value(), 8).value();
    auto caller = left.connect(endpoint_of(b, door->port())).value();
    run(std::chrono::seconds{5});
    auto accepted = std::move(*door->try_accept()).value();
    caller->try_finish_connect().value().value();
    return {std::move(caller), std::move(accepted)};
  }

  static io::endpoint endpoint_of(const sim::host& of, std::uint16_t port) {
    return io::endpoint::parse(of.address(), port).value();
  }

  sim::detail::agenda plan;
  sim::network net{plan};
  const sim::host& a = net.add_host("a");
  const sim::host& b = net.add_host("b");
  std::shared_ptr<sim::detail::process> left_process = net.make_process(a);
  std::shared_ptr<sim::detail::process> right_process = net.make_process(b);
  sim::detail::network_driver left{left_process}, right{right_process};
};

/// Writes as much of `text` as there is room for. Returns: how many bytes that was.
inline std::size_t write_to(io::stream_device& to, std::string_view text) {
  std::size_t total = 0;
  while (total < text.size()) {
    auto sent = to.try_write(std::as_bytes(std::span{text.substr(total)}));
    if (!sent) break;
    total += sent->value();
  }
  return total;
}

/// Reads what is there, up to the end of the peer.
inline std::string read_all(io::stream_device& from) {
  std::string all;
  std::array<char, 700> buffer{};
  for (;;) {
    auto taken = from.try_read(std::as_writable_bytes(std::span{buffer}));
    if (!taken || taken->value() == 0) return all;
    all.append(buffer.data(), taken->value());
  }
}

/// Returns: what reading comes to when no byte is there: an error, nothing for the end.
inline std::optional<boost::system::error_code> error_of_read(io::stream_device& from) {
  std::array<std::byte, 8> buffer{};
  auto taken = from.try_read(buffer);
  if (!taken || taken->has_value()) return std::nullopt;
  return taken->error();
}

/// Returns: whether reading says that the peer has ended.
inline bool is_at_end(io::stream_device& from) {
  std::array<std::byte, 8> buffer{};
  auto taken = from.try_read(buffer);
  return taken && taken->has_value() && **taken == 0;
}

}  // namespace troupe::test
