#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include <troupe/actor/actor.hpp>
#include <troupe/actor/protocol.hpp>
#include <troupe/actor/undelivered.hpp>
#include <troupe/node/detail/remote_target.hpp>
#include <troupe/node/wire.hpp>

namespace troupe::inline v0_1::detail {

/// Hears the answer of another node.
template <class T>
class remote_request_of final : public remote_request {
public:
  explicit remote_request_of(reply<T>&& back) noexcept : back_{std::move(back)} {}

  bool answer(std::string_view bytes) override {
    if constexpr (std::is_void_v<T>) {
      if (!bytes.empty()) return false;
      back_.answer();
    } else {
      std::optional<T> value = from_wire<T>(bytes);
      if (!value) return false;
      back_.answer(std::move(*value));
    }
    return true;
  }
  void fail(ask_errc error, std::string words) noexcept override {
    words.empty() ? back_.fail(error) : back_.fail(error, std::move(words));
  }
  [[nodiscard]] bool caller_gone() const noexcept override { return back_.caller_gone(); }

private:
  reply<T> back_;
};

/// The actor that stands here for one at another node: what does not depend on the protocol. While
/// it waits for credit its mailbox fills up, and its senders wait in turn.
class remote_actor : public actor {
public:
  explicit remote_actor(std::shared_ptr<remote_target> target) noexcept
      : target_{std::move(target)} {}
  remote_actor(const remote_actor&) = delete;
  remote_actor& operator=(const remote_actor&) = delete;

  void on(remote_news news);

protected:
  /// Passes on that somebody stops or kills it.
  ~remote_actor();

  [[nodiscard]] std::string too_large(const char* message, std::size_t size_bytes) const;

  std::shared_ptr<remote_target> target_;
};

/// How it takes one item of its protocol.
template <class Actor, class Item, class Answer = typename protocol_item<Item>::answer>
struct remote_item {
  using message = typename protocol_item<Item>::message;
  task<> on(message m, reply<Answer> back) {
    return static_cast<Actor*>(this)->template ask_remote<Item, Answer>(std::move(m),
                                                                        std::move(back));
  }
};
template <class Actor, class Item>
struct remote_item<Actor, Item, no_answer> {
  using message = typename protocol_item<Item>::message;
  task<> on(message m) {
    return static_cast<Actor*>(this)->template tell_remote<Item>(std::move(m));
  }
};

template <class Protocol>
class remote_actor_of;
template <class... Items>
class remote_actor_of<protocol<Items...>> final
    : public remote_actor,
      public remote_item<remote_actor_of<protocol<Items...>>, Items>... {
public:
  using remote_actor::on;
  using remote_actor::remote_actor;
  using remote_item<remote_actor_of, Items>::on...;

  template <class Item, class Answer, class M>
  task<> ask_remote(M sent, reply<Answer> back) {
    std::string bytes = to_wire(sent);
    if (bytes.size() > target_->max_message_bytes()) {
      co_return back.fail(ask_errc::rejected, too_large(type_name<M>(), bytes.size()));
    }
    if (!target_->has_credit()) co_await target_->wait_for_credit();
    if (back.caller_gone()) co_return;
    std::optional<duration> left = back.time_left();
    if (left && *left <= duration::zero()) co_return back.fail(ask_errc::expired);
    target_->ask(index_of<Item>(), bytes, left,
                 std::make_unique<remote_request_of<Answer>>(std::move(back)));
  }
  template <class Item, class M>
  task<> tell_remote(M sent) {
    std::string bytes = to_wire(sent);
    if (bytes.size() > target_->max_message_bytes()) {
      report_undelivered({type_name<M>(), ask_errc::rejected});
      co_return;
    }
    if (!target_->has_credit()) co_await target_->wait_for_credit();
    if (target_->send(index_of<Item>(), bytes)) co_return;
    report_undelivered({type_name<M>(), ask_errc::node_down});
  }

private:
  template <class Item>
  static constexpr std::uint16_t index_of() noexcept {
    std::uint16_t index = 0;
    (void)((std::is_same_v<Item, Items> || (++index, false)) || ...);
    return index;
  }
};

}  // namespace troupe::inline v0_1::detail
