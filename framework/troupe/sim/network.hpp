#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <troupe/pal/clock.hpp>
#include <troupe/sim/host.hpp>

namespace troupe::inline v0_1::sim {

namespace detail {
class agenda;
class fabric;
class process;
struct wire;
}  // namespace detail

/// The network of a world, and what can go wrong in it.
///
/// Each host has an address, 10.0.0.1 and so on, and its name resolves to it; 127.0.0.1 and ::1 are
/// the host itself. TCP keeps the order of bytes whatever happens; datagrams may be lost, doubled
/// and overtaken. Unix sockets are those of their host.
///
/// Without any fault, what is sent to another host arrives after 50 us to 1 ms, and within a host
/// after 1 to 50 us.
///
/// What is told twice counts as told last. Requires: hosts of this network.
/// Threads: the world's alone; not inside of a node's tasks.
class network {
public:
  explicit network(detail::agenda& plan);
  ~network();
  network(const network&) = delete;
  network& operator=(const network&) = delete;

  /// A name that is there already is a misuse.
  const host& add_host(std::string name);
  /// Returns: null for none.
  [[nodiscard]] const host* find_host(std::string_view name) const noexcept;

  // --- cut wires ---

  /// Cuts what lies between two hosts. Their connections stand, and fall silent: what is sent
  /// waits, until heal(), or until its sender's connection fails with ETIMEDOUT (set_patience).
  /// Requires: two different hosts.
  void partition(const host& a, const host& b);
  /// The same in one direction.
  void cut(const host& from, const host& to);
  /// Cuts a host off from all others.
  void isolate(const host& a);
  void heal(const host& a, const host& b);
  void heal_all();
  /// For how long a stream goes on sending again. Two minutes when nothing is said.
  void set_patience(duration length) noexcept;

  // --- slow and bad wires ---

  /// How long what is sent takes, to be drawn evenly; between all different hosts.
  void set_delay(duration least, duration most);
  /// The same in both directions between two, or within one.
  void set_delay(const host& a, const host& b, duration least, duration most);
  /// How many of what is sent get lost, from 0 to 1. Streams send again, after 200 ms, 400 ms, ...
  void set_loss(double share);
  void set_loss(const host& a, const host& b, double share);
  /// How many datagrams arrive twice.
  void set_duplication(double share);
  /// Lets no more bytes through, in each direction; 0: any number.
  void throttle(const host& a, const host& b, std::uint64_t bytes_per_second);
  /// What a stream holds in one direction, of what is sent and not read. 64 KiB when nothing is
  /// said.
  void set_buffer(std::size_t bytes) noexcept;

  // --- broken connections ---

  /// Resets every connection between two hosts, or within one. Returns: how many.
  std::size_t reset(const host& a, const host& b);
  /// Resets one of the connections that stand; the seed chooses. Returns: false when there is none.
  bool reset_any();
  /// Takes a host's power, or gives it back. Its peers hear nothing, and what it had open is gone.
  /// The programs on it have to be killed by their owner.
  void power_off(const host& a);
  void power_on(const host& a);
  /// While names are down, looking one up fails with io::name_errc::try_again.
  void set_names_down(bool are_down) noexcept;

  /// Returns: how many connections stand now.
  [[nodiscard]] std::size_t connection_count() const noexcept;

  /// Makes a program of a host: what a network_driver works on.
  [[nodiscard]] std::shared_ptr<detail::process> make_process(const host& where);

private:
  template <class Change>
  void change(const host& a, const host& b, Change how);
  template <class Change>
  void change_all(Change how);
  void send_again();
  void note(std::string_view what, const host& a, const host& b) const;

  std::shared_ptr<detail::fabric> net_;
};

}  // namespace troupe::inline v0_1::sim
