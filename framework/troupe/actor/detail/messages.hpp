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

namespace troupe::inline v0_1::detail {

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
template <class A, class M, class... Second>
decltype(auto) call_handler(actor_block& of, M& message, Second&&... second) {
  A& to = of.state_of<A>();
  if constexpr (handles_by_behavior<A, M>) {
    return to.with_behavior([&](auto& now) -> decltype(auto) {
      return now.on(std::move(message), std::forward<Second>(second)...);
    });
  } else if constexpr (handler_of<A, M>::is_interleaved) {
    return to.on(std::move(message), interleaved{});
  } else {
    return to.on(std::move(message), std::forward<Second>(second)...);
  }
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

/// Runs the handler of A for M and calls `give` with its answer: now, or after a coroutine in
/// give_outcome(). Returns: as envelope_table::run.
template <class A, class M, class Give>
bool run_and_give(actor_block& of, M& message, Give give) {
  using handler = handler_of<A, M>;
  if constexpr (handler::is_coroutine) {
    of.start_handler(call_handler<A>(of, message));
    return false;
  } else if constexpr (std::is_void_v<typename handler::value_type>) {
    call_handler<A>(of, message);
    give();
    return true;
  } else {
    give(call_handler<A>(of, message));
    return true;
  }
}

/// Throws what left a handler, else calls `give` with its value, a T.
template <class T, class Give>
void give_outcome(task_core& ended, Give give) {
  if constexpr (std::is_void_v<T>) {
    take_outcome<void>(ended);
    give();
  } else {
    give(take_outcome<T>(ended));
  }
}

/// Throws what left a handler, else drops its value. Requires: it returned a `Returned`.
template <class Returned>
void drop_outcome([[maybe_unused]] task_core& ended) {
  if constexpr (is_task<Returned>::value) {
    (void)take_outcome<typename task_value<Returned>::type>(ended);
  }
}

/// Makes an envelope in memory that `take` gives, and `give_back` gets when it cannot be made.
template <class Envelope, class Allocate, class Free, class... Args>
Envelope* new_envelope(Allocate take, Free give_back, Args&&... args) {
  static_assert(alignof(Envelope) <= 16, "over-aligned messages are not supported");
  void* block = take(sizeof(Envelope));
  try {
    return new (block) Envelope{std::forward<Args>(args)...};
  } catch (...) {
    give_back(block, sizeof(Envelope));
    throw;
  }
}

/// Moves the message at `from`, an M, back into the place that a handler has taken it from.
template <class M>
void put_back(M& place, void* from) noexcept {
  if (from == &place) return;  // A handler on(M&&) has not taken it.
  std::destroy_at(&place);
  std::construct_at(&place, std::move(*static_cast<M*>(from)));
}

/// A message of send() or try_send(), to whatever actor its table says.
template <class M>
struct sent_of : envelope {
  sent_of(const envelope_table& of, M&& from) noexcept(std::is_nothrow_move_constructible_v<M>)
      : envelope{of}, message{std::move(from)} {}
  M message;

  static constexpr bool is_request = false;

  static sent_of* make(const envelope_table& of, M&& from) {
    return new_envelope<sent_of>(&allocate_block, &free_block, of, std::move(from));
  }
  static void finish(envelope& self, handler_failure) noexcept {
    auto& mine = static_cast<sent_of&>(self);
    std::destroy_at(&mine);
    free_block(&mine, sizeof(sent_of));
  }
  static void drop(envelope& self, ask_errc why) noexcept {
    report_undelivered({type_name<M>(), why});
    finish(self, nullptr);
  }
  static void refill(envelope& self, void* from) noexcept {
    auto& mine = static_cast<sent_of&>(self);
    if (from != nullptr) put_back(mine.message, from);
  }
};

/// What an actor of class A does with a message that was sent.
template <class A, class M>
struct sent {
  using handler = handler_of<A, M>;

  static bool run(actor_block& of, envelope& self) {
    M& message = static_cast<sent_of<M>&>(self).message;
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

  static constexpr envelope_table table{
      .run = &run,
      .complete = &complete,
      .finish = &sent_of<M>::finish,
      .drop = &sent_of<M>::drop,
      .refill = handler::is_interleaved ? nullptr : &sent_of<M>::refill,
      .message_name = type_name<M>(),
      .is_plain = !handler::is_coroutine,
      .is_counted = true,
      .is_interleaved = handler::is_interleaved};
};

/// `of` for a message that no user sends: it takes no room.
constexpr envelope_table uncounted(envelope_table of) noexcept {
  of.is_counted = false;
  return of;
}

/// The same for one that lies in something else, and is used again or ends with it on the turn.
constexpr envelope_table embedded(envelope_table of, bool (*run)(actor_block&, envelope&),
                                  void (*finish)(envelope&, handler_failure) noexcept,
                                  void (*drop)(envelope&, ask_errc) noexcept) noexcept {
  of.run = run;
  of.finish = finish;
  of.drop = drop;
  of.is_plain = false;  // It has to be out of the queue when it is finished.
  return uncounted(of);
}

/// A request of ask() whose answer is a T, to whatever actor its table says.
template <class T, class M>
struct asked_of final : request<T> {
  template <class... Fields>
  static asked_of* make(const envelope_table& of, Fields&&... fields) {
    return new_envelope<asked_of>(&allocate_block, &free_block, of,
                                  std::forward<Fields>(fields)...);
  }
  template <class... Fields>
  explicit asked_of(const envelope_table& of, Fields&&... fields)
      : request<T>{of, sizeof(asked_of)}, message{std::forward<Fields>(fields)...} {}
  ~asked_of() {}

  static void finish(envelope& self, handler_failure failure) noexcept {
    auto& mine = static_cast<asked_of&>(self);
    std::destroy_at(&mine.message);
    if (mine.is_handed_over) return mine.let_go();
    if (!mine.is_decided()) [[unlikely]] {
      failure != nullptr ? mine.fail(*failure) : mine.set_error(ask_errc::broken_reply);
    }
    mine.answer();
  }
  static void drop(envelope& self, ask_errc why) noexcept {
    auto& mine = static_cast<asked_of&>(self);
    std::destroy_at(&mine.message);
    mine.set_error(why);
    mine.answer();
  }
  static void refill(envelope& self, void* from) noexcept {
    auto& mine = static_cast<asked_of&>(self);
    if (from == nullptr) return mine.forget_answer();
    put_back(mine.message, from);
  }

  static request_base* asked(envelope& self) noexcept { return &static_cast<asked_of&>(self); }

  bool is_handed_over = false;  // To a reply<T>, which answers.
  union {
    M message;
  };
};

/// What an actor of class A does with a request.
template <class A, class M>
struct asked {
  using value_type = typename asked_value<A, M>::type;
  using handler = handler_of<A, M>;
  using request_type = asked_of<value_type, M>;

  static bool run(actor_block& of, envelope& self) {
    auto& mine = static_cast<request_type&>(self);
    return !mine.may_begin() || run_begun(of, mine);
  }
  static bool run_begun(actor_block& of, request_type& mine) {
    if constexpr (handler::replies) {
      mine.hold();
      reply<value_type> back{&mine};
      mine.is_handed_over = true;
      return run_handler(of, [&] { return call_handler<A>(of, mine.message, std::move(back)); });
    } else {
      return run_and_give<A>(of, mine.message, to_request(mine));
    }
  }
  // One function to the end, for the compiler to see the message and its answer at once.
  static void run_here(actor_block& of, envelope& self) {
    auto& mine = static_cast<request_type&>(self);
    mine.begin_here();
    (void)run_begun(of, mine);
    bool is_all = of.let_go_of_message();
    if (handler::replies || !is_all) return of.finish(self, nullptr);
    std::destroy_at(&mine.message);
    mine.answer();  // By the value that was returned.
  }
  static void complete(envelope& self, task_core& ended) {
    auto& mine = static_cast<request_type&>(self);
    if constexpr (handler::replies) {
      drop_outcome<typename handler::returned>(ended);
    } else {
      give_outcome<value_type>(ended, to_request(mine));
    }
  }
  static auto to_request(request_type& mine) noexcept {
    return [&mine](auto&&... value) { mine.set_value(std::forward<decltype(value)>(value)...); };
  }

  static constexpr auto run_here_if_plain() noexcept -> void (*)(actor_block&, envelope&) {
    if constexpr (!handler::is_coroutine) return &run_here;
    return nullptr;
  }

  static constexpr envelope_table table{
      .run = &run,
      .run_here = run_here_if_plain(),
      .complete = &complete,
      .finish = &request_type::finish,
      .drop = &request_type::drop,
      .refill = handler::replies || handler::is_interleaved ? nullptr : &request_type::refill,
      .message_name = type_name<M>(),
      .asked = &request_type::asked,
      .is_plain = !handler::is_coroutine,
      .is_counted = true,
      .is_interleaved = handler::is_interleaved};
};

/// A request that its first receiver has passed on, with the right to answer it.
template <class T, class M>
struct delegated_of final : envelope {
  delegated_of(const envelope_table& of, M&& from, reply<T>&& to) noexcept
      : envelope{of}, message{std::move(from)}, back{std::move(to)} {}
  M message;
  reply<T> back;

  static constexpr bool is_request = true;

  static void finish(envelope& self, handler_failure failure) noexcept {
    auto& mine = static_cast<delegated_of&>(self);
    if (request<T>* to = mine.back.to();
        to != nullptr && (failure != nullptr || to->is_decided())) {
      if (!to->is_decided()) to->fail(*failure);
      mine.back.to_ = nullptr;
      to->answer();
    }
    std::destroy_at(&mine);
    free_block(&mine, sizeof(delegated_of));
  }
  static void drop(envelope& self, ask_errc why) noexcept {
    auto& mine = static_cast<delegated_of&>(self);
    if (mine.back.to() == nullptr) report_undelivered({type_name<M>(), why});  // It was sent.
    mine.back.fail(why);
    finish(self, nullptr);
  }
  static request_base* asked(envelope& self) noexcept {
    return static_cast<delegated_of&>(self).back.to();
  }
  static void refill(envelope& self, void* from) noexcept {
    auto& mine = static_cast<delegated_of&>(self);
    if (from != nullptr) return put_back(mine.message, from);
    if (mine.back.to() != nullptr) mine.back.to()->forget_answer();
  }
  /// Keeps an answer until the handler has ended. Requires: its reply<T> was not given away.
  template <class... Value>
  void decide(Value&&... value) noexcept {
    if (back.to() != nullptr) back.to()->set_value(std::forward<Value>(value)...);
  }
};

/// What an actor of class A does with one.
template <class A, class M>
struct delegated {
  using value_type = typename asked_value<A, M>::type;
  using handler = handler_of<A, M>;
  using envelope_type = delegated_of<value_type, M>;

  static bool run(actor_block& of, envelope& self) {
    auto& mine = static_cast<envelope_type&>(self);
    if (request_base* asked = mine.back.to()) {  // Else it was sent, and not asked.
      if (asked->caller_gone()) return true;
      if (asked->has_expired()) {
        mine.back.fail(ask_errc::expired);
        return true;
      }
    }
    if constexpr (handler::replies) {
      return run_handler(of,
                         [&] { return call_handler<A>(of, mine.message, std::move(mine.back)); });
    } else {
      return run_and_give<A>(of, mine.message, to_reply(mine));
    }
  }
  static void complete(envelope& self, task_core& ended) {
    auto& mine = static_cast<envelope_type&>(self);
    if constexpr (handler::replies) {
      drop_outcome<typename handler::returned>(ended);
    } else {
      give_outcome<value_type>(ended, to_reply(mine));
    }
  }
  static auto to_reply(envelope_type& mine) noexcept {
    return [&mine](auto&&... value) { mine.decide(std::forward<decltype(value)>(value)...); };
  }

  static constexpr envelope_table table{
      .run = &run,
      .complete = &complete,
      .finish = &envelope_type::finish,
      .drop = &envelope_type::drop,
      .refill = handler::replies || handler::is_interleaved ? nullptr : &envelope_type::refill,
      .message_name = type_name<M>(),
      .asked = &envelope_type::asked,
      .is_plain = !handler::is_coroutine,
      .is_counted = true,
      .is_interleaved = handler::is_interleaved};
};

inline constexpr char start_name[] = "on_start";
inline constexpr char stop_name[] = "on_stop";

/// The on_start or on_stop of A, run like a message.
template <class A, auto Event, const char* name>
struct life_event final : envelope {
  using returned = decltype((std::declval<A&>().*Event)());

  life_event() noexcept : envelope{table_of} {}

  static bool run(actor_block& of, envelope&) {
    return run_handler(of, [&] { return (static_cast<A*>(of.state())->*Event)(); });
  }
  static void complete(envelope&, task_core& ended) { drop_outcome<returned>(ended); }
  static void finish(envelope& self, handler_failure) noexcept {
    delete static_cast<life_event*>(&self);
  }
  static void drop(envelope& self, ask_errc) noexcept { finish(self, nullptr); }

  static constexpr envelope_table table_of{.run = &run,
                                           .complete = &complete,
                                           .finish = &finish,
                                           .drop = &drop,
                                           .message_name = name,
                                           .is_plain = !is_task<returned>::value};
};

}  // namespace troupe::inline v0_1::detail
