#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <troupe/base/intrusive_list.hpp>
#include <troupe/io/datagram_device.hpp>
#include <troupe/sim/detail/process.hpp>

namespace troupe::inline v0_1::sim::detail {

/// A simulated datagram socket as the device of an io::datagram_socket. What it sends may get lost,
/// doubled or overtaken; a pair loses nothing and keeps the order.
class datagram_port final : public io::datagram_device, public list_link {
public:
  /// Errors: EADDRINUSE, EADDRNOTAVAIL.
  [[nodiscard]] static result<io::datagram_device_ptr> bind(std::shared_ptr<process> owner,
                                                            const io::endpoint& at,
                                                            bool reuse_address);
  /// Errors: ENETUNREACH.
  [[nodiscard]] static result<io::datagram_device_ptr> connect(std::shared_ptr<process> owner,
                                                               const io::endpoint& to);
  [[nodiscard]] static std::pair<io::datagram_device_ptr, io::datagram_device_ptr> pair(
      std::shared_ptr<process> owner);

  [[nodiscard]] io::attempt<io::datagram> try_receive(std::span<std::byte> into) noexcept override;
  [[nodiscard]] io::attempt<void> try_send(std::span<const std::byte> from,
                                           const std::optional<io::endpoint>& to) noexcept override;
  [[nodiscard]] bool enlist_receive(waker key) noexcept override;
  void delist_receive() noexcept override { receiver_ = waker{}; }
  [[nodiscard]] bool enlist_send(waker key) noexcept override;
  void delist_send() noexcept override { sender_ = waker{}; }

  [[nodiscard]] io::endpoint local_endpoint() const noexcept override { return at_; }
  [[nodiscard]] std::optional<io::endpoint> peer_endpoint() const noexcept override {
    return peer_;
  }
  void close() noexcept override;

  [[nodiscard]] bool shares_address() const noexcept { return shares_; }
  /// Ends it: nothing gets here any more.
  void end() noexcept;

private:
  struct held {
    io::endpoint from;
    std::string bytes;
  };

  datagram_port(std::shared_ptr<process> owner, bool shares) noexcept;
  ~datagram_port() = default;
  static std::shared_ptr<datagram_port> make(std::shared_ptr<process> owner, bool shares);
  static result<std::shared_ptr<datagram_port>> make_at(std::shared_ptr<process> owner,
                                                        const io::endpoint& at, bool shares);

  void send_to_twin(std::string bytes);
  [[nodiscard]] boost::system::error_code send_out(std::string bytes, const io::endpoint& to);
  void fly(machine& called, const io::endpoint& from, const io::endpoint& to, std::string bytes);
  void take(held come) noexcept;
  void hear_refusal() noexcept;
  [[nodiscard]] bool twin_is_full() const noexcept;

  std::shared_ptr<process> owner_;
  std::shared_ptr<datagram_port> self_;  // Until close().
  io::endpoint at_;
  std::optional<io::endpoint> peer_;
  bool shares_;
  bool is_pair_ = false;
  std::weak_ptr<datagram_port> twin_;  // Of a pair.
  time_point last_arrival_{};          // At the twin.
  std::size_t flying_ = 0;             // To the twin.
  std::deque<held> received_;
  std::size_t received_bytes_ = 0;
  boost::system::error_code error_;  // Of what was sent before; not told yet.
  waker receiver_, sender_;
};

}  // namespace troupe::inline v0_1::sim::detail
