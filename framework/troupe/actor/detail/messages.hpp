#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include <troupe/actor/detail/actor_block.hpp>
#include <troupe/actor/detail/handler.hpp>
#include <troupe/actor/detail/request.hpp>
#include <troupe/actor/reply.hpp>
#include <troupe/actor/undelivered.hpp>
#include <troupe/base/memory.hpp>

namespace troupe::detail {

template <class T>
constexpr std::string_view signature_with() noexcept {
  return __PRETTY_FUNCTION__;
}

/// The name of a type as the compiler spells it, cut to 127 characters.
struct spelled_name {
  char text[128] = {};

  explicit constexpr spelled_name(std::string_view signature) noexcept {
    std::size_t begin = signature.find("T = ") + 4;
    std::size_t end = signature.find_first_of(";]", begin);
    for (std::size_t i = 0; begin + i < end && i < 127; ++i) text[i] = signature[begin + i];
  }
};

template <class T>
inline constexpr spelled_name name_of_type{signature_with<T>()};

template <class T>
constexpr const char* type_name() noexcept {
  return name_of_type<T>.text;
}

/// Calls the handler of A for M. Returns: what it returns, a task if it is a coroutine.
template <class A, class M, class... Reply>
decltype(auto) call_handler(actor_block& of, M& message, Reply&&... reply) {
  return static_cast<A*>(of.state())->on(std::move(message), std::forward<Reply>(reply)...);
}

/// Runs the coroutine or plain function that `call` calls; nobody waits for its value here.
/// Returns: as envelope_table::run.
template <class Call>
bool run_handler(actor_block& of, Call call) {
  if constexpr (is_task<decltype(call())>::value) {
    of.start_handler(call());
    return false;
  } else {
    (void)call();
    return true;
  }
}

/// Throws what left a handler, else drops its value. Requires: it returned a `Returned`.
template <class Returned>
void drop_outcome([[maybe_unused]] task_core& ended) {
  if constexpr (is_task<Returned>::value) {
    (void)take_outcome<typename task_value<Returned>::type>(ended);
  }
}

/// A message of send() or try_send().
template <class A, class M>
struct sent final : envelope {
  using handler = handler_of<A, M>;

  explicit sent(M&& from) noexcept(std::is_nothrow_move_constructible_v<M>)
      : envelope{table_of}, message{std::move(from)} {}
  M message;

  static bool run(actor_block& of, envelope& self) {
    M& message = static_cast<sent&>(self).message;
    return run_handler(of, [&]() -> decltype(auto) {
      if constexpr (handler::replies) {
        return call_handler<A>(of, message, reply<typename handler::value_type>{nullptr});
      } else {
        return call_handler<A>(of, message);
      }
    });
  }
  static void complete(envelope&, task_core& ended) {
    drop_outcome<typename handler::returned>(ended);
  }
  static void finish(envelope& self, bool) noexcept {
    auto& mine = static_cast<sent&>(self);
    std::destroy_at(&mine);
    deallocate(&mine, sizeof(sent));
  }
  static void drop(envelope& self, ask_errc why) noexcept {
    report_undelivered({type_name<M>(), why});
    finish(self, true);
  }

  static constexpr envelope_table table_of{&run, &complete, &finish, &drop, !handler::is_coroutine,
                                           true};
};

/// A request of ask().
template <class A, class M>
struct asked final : request<typename asked_value<A, M>::type> {
  using handler = handler_of<A, M>;
  using value_type = typename handler::value_type;
  using base = request<value_type>;

  template <class... Fields>
  static asked* make(Fields&&... fields) {
    static_assert(alignof(asked) <= 16, "over-aligned messages are not supported");
    void* block = allocate_request(sizeof(asked));
    try {
      return new (block) asked{std::forward<Fields>(fields)...};
    } catch (...) {
      free_request(block, sizeof(asked));
      throw;
    }
  }

  static bool run(actor_block& of, envelope& self) {
    auto& mine = static_cast<asked&>(self);
    if (!mine.begin()) {
      mine.set_error(ask_errc::canceled_unrun);
      return true;
    }
    if constexpr (handler::replies) {
      mine.hold();
      reply<value_type> back{&mine};
      mine.is_handed_over_ = true;
      return run_handler(of, [&] { return call_handler<A>(of, mine.message_, std::move(back)); });
    } else if constexpr (handler::is_coroutine) {
      of.start_handler(call_handler<A>(of, mine.message_));
      return false;
    } else if constexpr (std::is_void_v<value_type>) {
      call_handler<A>(of, mine.message_);
      mine.set_value({});
      return true;
    } else {
      mine.set_value(call_handler<A>(of, mine.message_));
      return true;
    }
  }
  static void complete(envelope& self, task_core& ended) {
    auto& mine = static_cast<asked&>(self);
    if constexpr (handler::replies) {
      drop_outcome<typename handler::returned>(ended);
    } else if constexpr (std::is_void_v<value_type>) {
      take_outcome<void>(ended);
      mine.set_value({});
    } else {
      mine.set_value(take_outcome<value_type>(ended));
    }
  }
  static void finish(envelope& self, bool failed) noexcept {
    auto& mine = static_cast<asked&>(self);
    std::destroy_at(&mine.message_);
    if (mine.is_handed_over_) return mine.let_go();
    if (!mine.is_decided()) {
      mine.set_error(failed ? ask_errc::receiver_failed : ask_errc::broken_reply);
    }
    mine.answer();
  }
  static void drop(envelope& self, ask_errc why) noexcept {
    auto& mine = static_cast<asked&>(self);
    std::destroy_at(&mine.message_);
    mine.set_error(why);
    mine.answer();
  }

  static constexpr envelope_table table_of{&run, &complete, &finish, &drop, !handler::is_coroutine,
                                           true};

private:
  template <class... Fields>
  explicit asked(Fields&&... fields)
      : base{table_of, sizeof(asked)}, message_{std::forward<Fields>(fields)...} {}
  ~asked() {}

  bool is_handed_over_ = false;  // To a reply<T>, which answers.
  union {
    M message_;
  };
};

/// on_start or on_stop of A, run like a message.
template <class A, auto Event>
struct life_event final : envelope {
  using returned = decltype((std::declval<A&>().*Event)());

  life_event() noexcept : envelope{table_of} {}

  static bool run(actor_block& of, envelope&) {
    return run_handler(of, [&] { return (static_cast<A*>(of.state())->*Event)(); });
  }
  static void complete(envelope&, task_core& ended) { drop_outcome<returned>(ended); }
  static void finish(envelope& self, bool) noexcept { delete static_cast<life_event*>(&self); }
  static void drop(envelope& self, ask_errc) noexcept { finish(self, true); }

  static constexpr envelope_table table_of{
      &run, &complete, &finish, &drop, !is_task<returned>::value, false};
};

}  // namespace troupe::detail
