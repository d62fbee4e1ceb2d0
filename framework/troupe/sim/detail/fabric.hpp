#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <troupe/base/intrusive_list.hpp>
#include <troupe/io/endpoint.hpp>
#include <troupe/sim/detail/agenda.hpp>
#include <troupe/sim/detail/port_table.hpp>
#include <troupe/sim/host.hpp>

namespace troupe::inline v0_1::sim::detail {

class connection;
class datagram_port;
class listening;

/// A host, and what its kernel knows.
struct machine {
  machine(std::string name, std::size_t number) : self{std::move(name), number} {}

  /// Returns: whether a socket of it can have this address.
  [[nodiscard]] bool has(const io::endpoint& at) const noexcept {
    return is_any(at) || is_loopback(at) || with_port(self.endpoint(), at.port()) == at;
  }

  host self;
  bool is_down = false;  ///< It has no power: nothing comes from there, and nothing gets there.
  port_table<listening> listeners;
  port_table<datagram_port> datagrams;
  std::map<std::string, listening*> unix_files;  ///< Null: nobody answers there any more.
};

/// What lies between two machines, in one direction.
struct wire {
  duration least_delay{};
  duration most_delay{};
  double loss = 0;         ///< How many of what is sent get lost; of streams it is sent again.
  double duplication = 0;  ///< How many datagrams arrive twice.
  std::uint64_t bytes_per_second = 0;  ///< 0: any number.
  bool is_parted = false;
  time_point busy_until{};
};

/// What all parts of a simulated network share: the machines and what lies between them, and the
/// connections that there are.
///
/// Threads: the world's alone.
class fabric {
public:
  explicit fabric(agenda& plan);

  [[nodiscard]] agenda& plan() noexcept { return plan_; }
  /// Ends all traffic: sockets may outlive the world, and are of no use then.
  void end() noexcept { has_ended_ = true; }
  [[nodiscard]] bool has_ended() const noexcept { return has_ended_; }

  machine& add(std::string name);
  [[nodiscard]] machine& of(const host& named) { return *machines_[named.number() - 1]; }
  [[nodiscard]] machine* named(std::string_view name) noexcept;
  /// Returns: the machine that `from` reaches at this address; null for none.
  [[nodiscard]] machine* reached(machine& from, const io::endpoint& to) noexcept;
  [[nodiscard]] const std::vector<std::unique_ptr<machine>>& machines() const noexcept {
    return machines_;
  }

  [[nodiscard]] wire& between(const machine& from, const machine& to);
  [[nodiscard]] bool is_open(const machine& from, const machine& to) {
    return !to.is_down && !between(from, to).is_parted;
  }

  /// Returns: when `bytes` that are sent now arrive.
  [[nodiscard]] time_point arrival(const machine& from, const machine& to, std::size_t bytes);
  /// Returns: when a part of a stream does, which is sent again if it gets lost.
  [[nodiscard]] time_point sure_arrival(const machine& from, const machine& to, std::size_t bytes);
  [[nodiscard]] bool chance(double probability);
  [[nodiscard]] duration pick(duration least, duration most);

  /// What the wires between machines that nobody has set are like, and those of one machine.
  wire usual, within;
  std::size_t buffer_bytes = 64 * 1024;         ///< What a direction of a stream holds.
  duration patience = std::chrono::minutes{2};  ///< For how long a stream sends again.
  bool names_are_down = false;
  intrusive_list<connection> connections;  ///< In the order of their beginning.
  std::uint64_t connection_count = 0;      ///< Of all time.

private:
  agenda& plan_;
  std::vector<std::unique_ptr<machine>> machines_;
  std::map<std::pair<std::size_t, std::size_t>, wire> wires_;
  bool has_ended_ = false;
};

}  // namespace troupe::inline v0_1::sim::detail
