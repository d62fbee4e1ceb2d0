#pragma once

#include <string>
#include <utility>

#include <caf/actor_config.hpp>
#include <caf/actor_system.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/make_actor.hpp>
#include <caf/monitorable_actor.hpp>

#include <troupe/actor/reply.hpp>
#include <troupe/caf/detail/answer.hpp>
#include <troupe/caf/messages.hpp>
#include <troupe/pal/atomic.hpp>

namespace troupe::inline v0_1::detail {

/// Hears the answer to one request of troupe to a CAF actor. When CAF has dropped its last
/// reference, nobody can answer any more: so a promise that was dropped is heard of at once.
class caf_sink : public ::caf::monitorable_actor {
public:
  explicit caf_sink(::caf::actor_config& config) : monitorable_actor{config} {}

  using abstract_actor::enqueue;
  void enqueue(::caf::mailbox_element_ptr given, ::caf::execution_unit* host) override;
  void on_destroy() override;
  const char* name() const override { return "troupe request"; }

protected:
  /// Returns: false when the content is no value of the request's.
  virtual bool take(::caf::mailbox_element& given) = 0;
  virtual void fail(ask_errc error, std::string words) noexcept = 0;
  [[nodiscard]] virtual const char* wanted() const noexcept = 0;

private:
  void hear(::caf::mailbox_element& given);

  pal::atomic<bool> has_heard_{false};
};

template <class Value>
class caf_sink_of final : public caf_sink {
public:
  caf_sink_of(::caf::actor_config& config, reply<Value>&& back)
      : caf_sink{config}, back_{std::move(back)} {}

private:
  bool take(::caf::mailbox_element& given) override {
    if constexpr (std::is_void_v<Value>) {
      if (!given.content().empty()) return false;
      back_.answer();
    } else {
      if (!given.content().template match_elements<Value>()) return false;
      back_.answer(take_element<Value>(given));
    }
    return true;
  }
  void fail(ask_errc error, std::string words) noexcept override {
    back_.fail(error, std::move(words));
  }
  const char* wanted() const noexcept override {
    if constexpr (std::is_void_v<Value>) {
      return "()";
    } else {
      return caf_type_name<Value>();
    }
  }

  reply<Value> back_;
};

/// Sends a request whose answer goes to `back`.
template <class Value, class M>
void request_from_caf(::caf::actor_control_block& to, M&& message, reply<Value> back) {
  ::caf::actor_system& system = *to.home_system;
  ::caf::actor_config config;
  auto sink = ::caf::make_actor<caf_sink_of<Value>, ::caf::strong_actor_ptr>(
      system.next_actor_id(), system.node(), &system, config, std::move(back));
  to.get()->enqueue(::caf::make_mailbox_element(std::move(sink), ::caf::make_message_id(1), {},
                                                std::forward<M>(message)),
                    nullptr);
}

}  // namespace troupe::inline v0_1::detail
