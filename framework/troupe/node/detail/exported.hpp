#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <troupe/actor/end_hook.hpp>
#include <troupe/actor/reply_to.hpp>
#include <troupe/node/detail/server_link.hpp>
#include <troupe/node/wire.hpp>

namespace troupe::inline v0_1::detail {

/// Returns: what the items of a protocol are to another node.
template <class Item>
item_spec spec_of() {
  using parts = protocol_item<Item>;
  item_spec spec{type_spelled<typename parts::message>(), wire_layout_of<typename parts::message>(),
                 "-"};
  if constexpr (std::is_void_v<typename parts::answer>) {
    spec.answer = "nothing";
  } else if constexpr (is_asked_item<Item>) {
    spec.answer = wire_layout_of<typename parts::answer>();
  }
  return spec;
}
template <class Protocol>
struct specs_of;
template <class... Items>
struct specs_of<protocol<Items...>> {
  static const std::vector<item_spec>& all() {
    static const std::vector<item_spec> specs{spec_of<Items>()...};
    return specs;
  }
};

/// Where the answer to a request of another node goes.
template <class T>
struct answer_to_node {
  std::shared_ptr<server_link> link;
  std::uint64_t request;

  void operator()(typename troupe::detail::request<T>::stored&& value) noexcept {
    try {
      if constexpr (std::is_void_v<T>) {
        link->answer(request, {});
      } else {
        link->answer(request, to_wire(value));
      }
    } catch (const std::exception& failed) {  // No memory, or what a codec of the user's throws.
      link->break_off(failed.what());
    }
  }
  void operator()(ask_errc error, const std::string* words) noexcept {
    link->fail(request, error, words);
  }
};

template <class Protocol>
class exported_ref;
/// A published actor that handles these.
template <class... Items>
class exported_ref<protocol<Items...>> final : public exported {
public:
  explicit exported_ref(ref<protocol<Items...>> to) noexcept : to_{std::move(to)} {}

  [[nodiscard]] const std::vector<item_spec>& items() const override {
    return specs_of<protocol<Items...>>::all();
  }
  task<bool> deliver(const std::shared_ptr<server_link>& link, incoming message) override {
    static constexpr std::array<deliver_function, sizeof...(Items)> functions{
        &exported_ref::deliver_as<Items>...};
    return (this->*functions.at(message.item))(link, std::move(message));
  }
  void follow(end_hook& hook) override { hook.set(to_); }
  void end(bool kills) noexcept override { kills ? to_.kill() : to_.stop(); }
  [[nodiscard]] bool has_ended() const override { return to_.has_ended(); }

private:
  using deliver_function = task<bool> (exported_ref::*)(const std::shared_ptr<server_link>&,
                                                        incoming);

  template <class Item>
  task<bool> deliver_as(const std::shared_ptr<server_link>& link, incoming from) {
    using message = typename protocol_item<Item>::message;
    using value = typename protocol_item<Item>::answer;
    std::optional<message> made = from_wire<message>(from.frame.payload());
    if (!made) co_return false;
    if constexpr (is_asked_item<Item>) {
      if (from.request) {
        ask_limit limit = no_deadline;
        std::optional<duration> left;
        if (from.until) {
          left = std::max(*from.until - now(), duration::zero());
          limit = within{*left};
        }
        auto back = reply_to<value>(answer_to_node<value>{link, *from.request}, left);
        link->begin_request(*from.request, withdrawal{back});
        co_await to_.delegate_when_room(std::move(*made), std::move(back), limit);
        co_return true;
      }
    } else if (from.request) {
      co_return false;
    }
    result<void> sent = co_await to_.send(take(*made), no_deadline).as_result();
    if (!sent) {
      report_undelivered({type_spelled<message>(), static_cast<ask_errc>(sent.error().value())});
    }
    co_return true;
  }

  ref<protocol<Items...>> to_;
};

}  // namespace troupe::inline v0_1::detail
