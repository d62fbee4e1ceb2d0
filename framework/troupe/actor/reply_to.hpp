#pragma once

#include <optional>
#include <string>
#include <utility>

#include <troupe/actor/reply.hpp>

namespace troupe::inline v0_1 {

namespace detail {

/// A request without a caller: its answer goes to a function.
template <class T, class Hear>
class heard_request final : public request<T> {
public:
  static heard_request* make(Hear hear, std::optional<duration> limit) {
    void* room = allocate_block(sizeof(heard_request));
    auto* made = new (room) heard_request{std::move(hear)};
    if (limit) made->answer_by(deadline::at(now() + *limit));
    return made;
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
/// With a `limit` the request is not begun after it, and what is asked for it inherits that.
/// Errors: std::bad_alloc. Threads: any; with a limit workers.
/// Example: `counter.delegate(total{}, reply_to<int>(hear));`
template <class T, class Hear>
reply<T> reply_to(Hear hear, std::optional<duration> limit = std::nullopt) {
  return reply<T>{detail::heard_request<T, Hear>::make(std::move(hear), limit)};
}

/// Gives up a request that was made by reply_to(): it is not begun any more, or sees that its
/// caller has gone.
class withdrawal {
public:
  template <class T>
  explicit withdrawal(const reply<T>& of) noexcept : of_{of.to()} {}

  /// Requires: `hear` has not returned from its call, and does not meanwhile. Threads: any.
  void operator()() const noexcept { (void)of_->withdraw(); }

private:
  detail::request_base* of_;
};

}  // namespace troupe::inline v0_1
