#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>

#include <troupe/base/intrusive_list.hpp>
#include <troupe/io/listener_device.hpp>
#include <troupe/sim/detail/process.hpp>

namespace troupe::inline v0_1::sim::detail {

/// A simulated listener as the device of an io::listener: at a port, or at a path.
class listening final : public io::listener_device, public list_link {
public:
  /// Errors: EADDRINUSE, EADDRNOTAVAIL.
  [[nodiscard]] static result<io::listener_device_ptr> at_port(std::shared_ptr<process> owner,
                                                               const io::endpoint& at,
                                                               int backlog_count);
  /// Errors: EADDRINUSE.
  [[nodiscard]] static result<io::listener_device_ptr> at_path(std::shared_ptr<process> owner,
                                                               std::string path, int backlog_count,
                                                               bool replaces_stale);

  [[nodiscard]] io::attempt<io::stream_device_ptr> try_accept() noexcept override;
  [[nodiscard]] bool enlist_accept(waker key) noexcept override;
  void delist_accept() noexcept override { acceptor_ = waker{}; }

  [[nodiscard]] std::string local_address() const override;
  [[nodiscard]] std::uint16_t port() const noexcept override { return at_.port(); }
  void close() noexcept override;

  [[nodiscard]] const std::shared_ptr<process>& owner() const noexcept { return owner_; }
  [[nodiscard]] const io::endpoint& local_endpoint() const noexcept { return at_; }
  [[nodiscard]] static bool shares_address() noexcept { return false; }

  [[nodiscard]] bool has_room() const noexcept { return calls_.size() < backlog_; }
  /// Queues a connection whose end 1 is its owner's. Requires: has_room().
  void take_call(std::shared_ptr<connection> come);
  /// Wakes who accepts, to see that intake has ended.
  void stop_intake() noexcept { owner_->ring(acceptor_); }
  /// Ends it: nothing gets here any more, and who waits to be accepted is told. A path stays where
  /// it is, unless it is `removed`.
  void end(bool removed);

private:
  listening(std::shared_ptr<process> owner, int backlog_count) noexcept;
  ~listening() = default;

  std::shared_ptr<process> owner_;
  io::endpoint at_;   // Of port 0 at a path.
  std::string path_;  // Empty at a port.
  std::size_t backlog_;
  std::deque<std::shared_ptr<connection>> calls_;
  waker acceptor_;
};

}  // namespace troupe::inline v0_1::sim::detail
