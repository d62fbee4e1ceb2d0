#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <troupe/io/listener.hpp>
#include <troupe/node/detail/client_link.hpp>
#include <troupe/node/detail/server_link.hpp>
#include <troupe/task/scope.hpp>

namespace troupe::inline v0_1::detail {

/// What a node is: its listener and its links, as the tasks of one scope.
class node_core final : public std::enable_shared_from_this<node_core> {
public:
  explicit node_core(node_options&& options);

  /// Listens, if it is to. Errors: see node::start().
  void listen();
  /// Lets others in and keeps links, until stop(); then ends those in order.
  [[nodiscard]] task<> run();
  void stop() noexcept { stopping_.set(); }
  /// Waits until links may begin.
  [[nodiscard]] auto begun() { return begun_.wait(); }
  /// Waits until run() has ended.
  [[nodiscard]] auto ended() { return ended_.wait(); }

  /// Returns: the link to an address, which is new if there was none.
  /// Errors: system_error of node_errc::stopped.
  [[nodiscard]] std::shared_ptr<client_link> link_to(const std::string& address);

  [[nodiscard]] export_table& exports() noexcept { return exports_; }
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] const node_self& self() const noexcept { return *self_; }

private:
  task<> work(scope_handle tasks);
  task<> accept();
  task<> let_all_in();
  task<> let_in(io::stream accepted);
  task<> serve(io::stream accepted);
  [[nodiscard]] std::string objection_to(const io::stream& peer);
  task<> keep(std::shared_ptr<client_link> link);
  void close_all();

  const std::shared_ptr<const node_self> self_;
  std::optional<io::listener> listener_;
  std::uint16_t port_ = 0;
  export_table exports_;
  event begun_;
  event stopping_;
  event ended_;

  pal::mutex mutex_;
  std::optional<scope_handle> tasks_;  // While links may begin.
  std::unordered_map<std::string, std::weak_ptr<client_link>> users_;
  std::vector<std::shared_ptr<client_link>> client_links_;
  std::vector<std::shared_ptr<server_link>> server_links_;
  std::size_t let_in_ = 0;  // Connections from others, from their first moment on.
};

}  // namespace troupe::inline v0_1::detail
