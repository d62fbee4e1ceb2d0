#pragma once

#include <memory>
#include <optional>
#include <utility>

#include <caf/actor_config.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/make_actor.hpp>
#include <caf/make_message.hpp>
#include <caf/monitorable_actor.hpp>
#include <caf/resumable.hpp>

#include <troupe/actor/end_hook.hpp>
#include <troupe/actor/ref.hpp>
#include <troupe/actor/reply_to.hpp>
#include <troupe/actor/undelivered.hpp>
#include <troupe/caf/detail/answer.hpp>
#include <troupe/caf/detail/neighbours.hpp>
#include <troupe/caf/messages.hpp>

namespace troupe::inline v0_1::detail {

/// The CAF actor that stands for one of troupe: what does not depend on the protocol.
///
///   R1. enqueue() is called by any thread, also under locks of CAF: it only puts into mailboxes.
///   R2. The troupe actor's end is told under a lock of troupe: the proxy then queues itself as a
///       job of CAF, which ends it.
class caf_proxy : public ::caf::monitorable_actor, public ::caf::resumable {
public:
  caf_proxy(::caf::actor_config& config, std::shared_ptr<caf_neighbours> among);

  using abstract_actor::enqueue;
  void enqueue(::caf::mailbox_element_ptr given, ::caf::execution_unit* host) override;
  void on_destroy() override;
  const char* name() const override { return "troupe actor"; }

  /// After this nothing of troupe's uses it.
  void end_with_system();

  resume_result resume(::caf::execution_unit* host, std::size_t) override;
  void intrusive_ptr_add_ref_impl() override { ::caf::intrusive_ptr_add_ref(ctrl()); }
  void intrusive_ptr_release_impl() override { ::caf::intrusive_ptr_release(ctrl()); }

protected:
  /// Passes the message on to the troupe actor. Takes from `given` what it needs.
  virtual void deliver(::caf::mailbox_element& given) = 0;
  virtual void end_actor(bool kills) noexcept = 0;

  /// A message that the protocol does not list.
  void reject(::caf::mailbox_element& given);
  void answer(::caf::mailbox_element& given, ::caf::message&& content);
  /// Requires: `given` is a request.
  [[nodiscard]] std::unique_ptr<caf_pending> wait_for_answer(::caf::mailbox_element& given);
  [[nodiscard]] ::caf::strong_actor_ptr itself() { return ::caf::strong_actor_ptr{ctrl()}; }

  /// Has the proxy end with the actor.
  template <class A>
  void follow(const ref<A>& actor) {
    hook_.set(actor);
  }

private:
  struct hook final : end_hook {
    explicit hook(caf_proxy& of) noexcept : end_hook{&told}, proxy{of} {}
    static void told(end_hook& self, const exit_reason& why) noexcept;
    caf_proxy& proxy;
  };

  bool hear_system_message(::caf::mailbox_element& given);

  std::shared_ptr<caf_neighbours> among_;
  exit_reason why_;  // Written once, before resume() is queued. R2
  hook hook_{*this};
};

template <class Protocol>
class caf_proxy_of;
template <class... Items>
class caf_proxy_of<protocol<Items...>> final : public caf_proxy {
public:
  caf_proxy_of(::caf::actor_config& config, std::shared_ptr<caf_neighbours> among,
               ref<protocol<Items...>> to)
      : caf_proxy{config, std::move(among)}, to_{std::move(to)} {}

  void start() { follow(to_); }

private:
  void deliver(::caf::mailbox_element& given) override {
    bool is_known = (deliver_as<Items>(given) || ...);
    if (!is_known) reject(given);
  }
  void end_actor(bool kills) noexcept override { kills ? to_.kill() : to_.stop(); }

  // Returns: false when it is another message.
  template <class Item>
  bool deliver_as(::caf::mailbox_element& given) {
    using message = typename protocol_item<Item>::message;
    using value = typename protocol_item<Item>::answer;
    static_assert(std::is_copy_constructible_v<message>,
                  "CAF shares its messages: what CAF actors send has to be copyable");
    if (!given.content().template match_elements<message>()) return false;
    message taken = take_element<message>(given);
    if constexpr (!std::is_same_v<value, no_answer>) {
      if (given.mid.is_request()) {
        request<value>(given, std::move(taken));
        return true;
      }
    }
    result<void> sent = to_.try_send(std::move(taken));
    if (given.mid.is_request()) {
      auto code = static_cast<ask_errc>(sent.error().value());
      answer(given,
             sent ? ::caf::make_message() : ::caf::make_message(to_caf_error(code, nullptr)));
    } else if (!sent) {
      report_undelivered({caf_type_name<message>(), static_cast<ask_errc>(sent.error().value())});
    }
    return true;
  }

  template <class Value, class M>
  void request(::caf::mailbox_element& given, M&& taken) {
    struct {
      std::unique_ptr<caf_pending> request;
      void operator()(typename troupe::detail::request<Value>::stored&& value) noexcept {
        if constexpr (std::is_void_v<Value>) {
          request->answer(::caf::make_message());
        } else {
          request->answer(::caf::make_message(std::move(value)));
        }
      }
      void operator()(ask_errc error, const std::string* words) noexcept {
        request->answer(::caf::make_message(to_caf_error(error, words)));
      }
    } hear{wait_for_answer(given)};
    to_.delegate(std::forward<M>(taken), reply_to<Value>(std::move(hear)));
  }

  ref<protocol<Items...>> to_;
};

}  // namespace troupe::inline v0_1::detail
