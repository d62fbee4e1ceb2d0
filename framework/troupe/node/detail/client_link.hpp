#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <troupe/node/detail/node_connection.hpp>
#include <troupe/node/detail/node_self.hpp>
#include <troupe/node/detail/remote_target.hpp>
#include <troupe/sync/oneshot.hpp>

namespace troupe::inline v0_1::detail {

/// A link to another node, from the side that has connected. It connects again when it was lost.
///
///   up, a target with a session      requests go out
///   up, a target without             it is looked up again; requests fail with node_down
///   down                             requests fail with node_down
///
/// All that changes is under the lock; tasks are woken, requests answered and news told without.
class client_link final : private frame_receiver {
public:
  client_link(std::shared_ptr<const node_self> self, std::string address);

  /// Connects, and again after each loss, until the first attempt has failed or after close().
  [[nodiscard]] task<> run();
  /// Waits for the first attempt. Errors: those of it.
  [[nodiscard]] task<> connected();
  /// Waits until the link is up. Errors: system_error of node_errc::stopped.
  [[nodiscard]] task<> up();
  /// Waits until it is not.
  [[nodiscard]] task<> down();

  /// Looks up a name. `user` is this link, as its users hold it.
  /// Errors: system_error of ask_errc: no_route, rejected, node_down.
  [[nodiscard]] static task<std::shared_ptr<remote_target>> find(
      std::shared_ptr<client_link> user, std::string name, const std::vector<item_spec>& items);

  /// Ends it for good. Threads: any.
  void close(const std::string& words);

  [[nodiscard]] bool is_up() const;
  /// Returns: true when the first attempt has failed: the link is of no use.
  [[nodiscard]] bool has_failed() const;
  [[nodiscard]] std::string peer_name() const;
  [[nodiscard]] const std::string& address() const noexcept { return address_; }
  [[nodiscard]] const node_options& options() const noexcept { return self_->options(); }

private:
  friend class remote_target;

  struct lookup_outcome {
    ask_errc error{};  // Zero: found.
    std::string words;
  };
  struct waiting_lookup {
    oneshot_sender<lookup_outcome> tell;
    std::uint32_t session = 0;
    std::uint64_t target = 0;
  };

  void begin(scope_handle tasks) override;
  void receive(frame_bytes frame) override;
  void hear(const found_frame& found);
  void hear(const missing_frame& missing);
  void hear(const credit_frame& credit);
  void hear(const answer_frame& answered, std::string_view payload);
  void hear(failure_frame failed);
  void hear(const ended_frame& ended);
  [[nodiscard]] std::unique_ptr<remote_request> take_request(std::uint64_t id);
  // Under the lock.
  [[nodiscard]] std::optional<waiting_lookup> take_lookup(std::uint64_t id);

  task<bool> live();
  task<std::shared_ptr<node_connection>> establish();
  task<> find_again();
  task<> withdraw_forsaken();
  task<lookup_outcome> look_up(std::uint64_t target);
  void go_down(const std::string& cause);
  void fail_first(std::exception_ptr why);
  [[nodiscard]] std::vector<std::uint64_t> lost_targets() const;
  [[nodiscard]] bool withdraw_those_gone();

  [[nodiscard]] std::uint64_t add(remote_target& target);
  void remove(const remote_target& target) noexcept;

  const std::shared_ptr<const node_self> self_;
  const std::string address_;

  mutable pal::mutex mutex_;
  std::shared_ptr<node_connection> connection_;  // Null while it is down.
  std::string peer_name_;
  std::string words_;  // Why it is down.
  std::exception_ptr first_failure_;
  std::unordered_map<std::uint64_t, remote_target*> targets_;   // By a number of their own.
  std::unordered_map<std::uint32_t, remote_target*> sessions_;  // Of this connection.
  std::unordered_map<std::uint64_t, std::unique_ptr<remote_request>> requests_;
  std::unordered_map<std::uint64_t, waiting_lookup> lookups_;
  std::uint64_t next_ = 1;  // Requests, lookups, targets.
  std::uint32_t next_session_ = 1;

  event tried_;  // The first attempt is over.
  event is_up_;
  event is_down_;
  event closing_;  // For good.
  event has_requests_;
};

}  // namespace troupe::inline v0_1::detail
