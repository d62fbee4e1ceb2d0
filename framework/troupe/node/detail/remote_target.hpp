#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <troupe/actor/errors.hpp>
#include <troupe/actor/exit_reason.hpp>
#include <troupe/node/detail/frames.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/pal/clock.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/task.hpp>

namespace troupe::inline v0_1::detail {

class client_link;

/// A request that waits for its answer from another node.
class remote_request {
public:
  remote_request() = default;
  remote_request(const remote_request&) = delete;
  remote_request& operator=(const remote_request&) = delete;
  virtual ~remote_request() = default;

  /// Returns: false when the bytes are no answer; then it is still to be failed.
  [[nodiscard]] virtual bool answer(std::string_view bytes) = 0;
  virtual void fail(ask_errc error, std::string words) noexcept = 0;
  [[nodiscard]] virtual bool caller_gone() const noexcept = 0;
};

/// What has become of an actor at another node, for who stands for it here.
struct remote_news {
  enum class kind : unsigned char { ended, restarts, link_lost };
  kind is = kind::ended;
  exit_kind how = exit_kind::unknown;  ///< It has ended.
  std::exception_ptr why{};            ///< It has failed, or the link was lost.
};

/// An actor at another node, as one link knows it. Its state is the link's, under the link's lock.
class remote_target {
public:
  remote_target(std::shared_ptr<client_link> link, std::string name,
                const std::vector<item_spec>& items);
  remote_target(const remote_target&) = delete;
  remote_target& operator=(const remote_target&) = delete;
  ~remote_target();

  /// Who is told of news; without one they are lost. Called by any worker, under no lock.
  void tell(std::function<void(remote_news)> whom);

  /// Whether a message may be sent now. Of use to the one who sends: others only add to it.
  [[nodiscard]] bool has_credit() const noexcept {
    return credit_bytes_.load(std::memory_order_relaxed) > 0;
  }
  /// Waits until a message may be sent, or the actor cannot be reached.
  [[nodiscard]] task<> wait_for_credit();
  /// Sends. Returns: false when the actor cannot be reached.
  [[nodiscard]] bool send(std::uint16_t item, std::string_view payload);
  /// Sends a request; one that cannot be sent fails at once.
  void ask(std::uint16_t item, std::string_view payload, std::optional<duration> left,
           std::unique_ptr<remote_request> request);
  /// Has the actor stopped or killed.
  void end(bool kills);

  /// Returns: `name at address`.
  [[nodiscard]] std::string title() const;
  [[nodiscard]] std::size_t max_message_bytes() const noexcept;

private:
  friend class client_link;

  [[nodiscard]] bool is_reachable() const noexcept;
  void pay(std::size_t payload_bytes) noexcept {
    credit_bytes_.fetch_sub(static_cast<std::int64_t>(cost_bytes(payload_bytes)),
                            std::memory_order_relaxed);
  }

  const std::shared_ptr<client_link> link_;
  const std::string name_;
  const std::vector<item_spec>& items_;

  std::uint32_t session_ = 0;                  // 0: not known at the other node.
  pal::atomic<std::int64_t> credit_bytes_{0};  // Changed under the lock.
  bool was_found_ = false;
  bool has_ended_ = false;
  event changed_;
  std::function<void(remote_news)> tell_;
  const std::uint64_t number_;  // Last: with it the link knows the target, and looks at it.
};

}  // namespace troupe::inline v0_1::detail
