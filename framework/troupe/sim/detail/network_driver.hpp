#pragma once

#include <memory>
#include <string>
#include <utility>

#include <troupe/io/simulated_network.hpp>
#include <troupe/sim/detail/name_server.hpp>
#include <troupe/sim/detail/node_driver.hpp>
#include <troupe/sim/detail/process.hpp>

namespace troupe::inline v0_1::sim::detail {

/// The driver of a node that has a simulated network in place of the system's.
class network_driver final : public node_driver, public io::simulated_network {
public:
  explicit network_driver(std::shared_ptr<process> self)
      : self_{std::move(self)}, names_{self_->net()} {}
  ~network_driver() override;

  void stop_intake() noexcept override { self_->stop_intake(); }

  [[nodiscard]] result<io::listener_device_ptr> listen(const io::endpoint& at,
                                                       int backlog_count) override;
  [[nodiscard]] result<io::connecting_device_ptr> connect(const io::endpoint& to) override;
  [[nodiscard]] result<io::listener_device_ptr> listen_unix(const std::string& path,
                                                            int backlog_count,
                                                            bool replaces_stale) override;
  [[nodiscard]] result<io::stream_device_ptr> connect_unix(const std::string& path) override;
  [[nodiscard]] std::pair<io::stream_device_ptr, io::stream_device_ptr> stream_pair() override;
  [[nodiscard]] result<io::datagram_device_ptr> bind_datagrams(const io::endpoint& at,
                                                               bool reuse_address) override;
  [[nodiscard]] result<io::datagram_device_ptr> connect_datagrams(const io::endpoint& to) override;
  [[nodiscard]] std::pair<io::datagram_device_ptr, io::datagram_device_ptr> datagram_pair()
      override;
  [[nodiscard]] io::resolver& names() noexcept override { return names_; }

private:
  std::shared_ptr<process> self_;
  name_server names_;
};

}  // namespace troupe::inline v0_1::sim::detail
