#pragma once

#include <string>
#include <utility>

#include <troupe/actor/reply.hpp>

namespace troupe::inline v0_1 {

namespace detail {

/// A request without a caller: its answer goes to a function.
template <class T, class Hear>
class heard_request final : public request<T> {
public:
  static heard_request* make(Hear hear) {
    void* room = allocate_block(sizeof(heard_request));
    return new (room) heard_request{std::move(hear)};
  }

private:
  explicit heard_request(Hear&& hear) noexcept
      : request<T>{none, sizeof(heard_request), &tell}, hear_{std::move(hear)} {
    static_assert(std::is_nothrow_move_constructible_v<Hear>, "reply_to needs a nothrow move");
    this->pass_on();
  }

  static void tell(request_base& self) noexcept {
    auto& mine = static_cast<heard_request&>(self);
    if (mine.has_value_) {
      mine.hear_(std::move(mine.value()));
    } else {
      mine.hear_(mine.error_, mine.reason());
    }
    request<T>::destroy_value(self);
    std::destroy_at(&mine.hear_);
  }

  // It stands in no queue.
  static constexpr envelope_table none{};

  union {
    Hear hear_;
  };
};

}  // namespace detail

/// A reply whose answer goes to a function, for who asks without a task, such as another actor
/// system: with ref::delegate() it is the request.
///
/// `hear` is called once, by the thread that answers: with the value (for void a std::monostate),
/// or with (ask_errc, const std::string* words), where `words` may be null. It must not throw.
/// Errors: std::bad_alloc.
/// Example: `counter.delegate(total{}, reply_to<int>(hear));`
template <class T, class Hear>
reply<T> reply_to(Hear hear) {
  return reply<T>{detail::heard_request<T, Hear>::make(std::move(hear))};
}

}  // namespace troupe::inline v0_1
