#pragma once

#include <exception>

#include <troupe/actor/errors.hpp>
#include <troupe/sync/message_queue.hpp>
#include <troupe/task/core.hpp>

namespace troupe::inline v0_1::detail {

class actor_block;
class request_base;
struct envelope;

/// What has left a handler: null when it has ended well, or was not run; empty when it was ended.
using handler_failure = const std::exception_ptr*;

/// What an envelope can do; one table for each kind of message and receiver.
struct envelope_table {
  /// Runs the handler, on a turn of the actor. Returns: false when the handler is a coroutine that
  /// was started as a task of the actor: complete() follows its end.
  bool (*run)(actor_block&, envelope&);
  /// The same, to its end, within the turn of the one task that can have sent it. Throws what left
  /// the handler. Null where it is no request, or the handler no plain function.
  void (*run_here)(actor_block&, envelope&) = nullptr;
  /// Takes the outcome of that task: answers. Throws what left the handler. Null where run() never
  /// returns false.
  void (*complete)(envelope&, task_core& ended) = nullptr;
  /// The handler has ended: the last act on the envelope.
  void (*finish)(envelope&, handler_failure failure) noexcept;
  /// It was not run: answers with `why`, or reports it as undelivered, and frees it.
  void (*drop)(envelope&, ask_errc why) noexcept;
  /// Moves the message at `from` back into an envelope whose handler has taken it; with null drops
  /// the answer that handler gave. Null where a message cannot be put aside.
  void (*refill)(envelope&, void* from) noexcept = nullptr;
  /// The name of the message's type; its address is its type's.
  const char* message_name;
  /// Returns: the request that it is, or carries on. Null where nobody asks.
  request_base* (*asked)(envelope&) noexcept = nullptr;
  /// The handler is a plain function: the message may stay in the queue while it runs, and is
  /// finished when the actor may be asleep already. Not for what is sent again before that, or
  /// touches the actor then.
  bool is_plain = false;
  /// It takes room in the mailbox.
  bool is_counted = false;
  /// The actor goes on with its mail while the handler, a coroutine, waits.
  bool is_interleaved = false;
};

/// One message on its way to an actor, with all that its handler needs.
struct envelope : message_link {
  explicit envelope(const envelope_table& of) noexcept : table{&of} {}
  const envelope_table* table;
};

/// Returns: the request that `handled` is, or carries on; null where nobody asks, and for null.
[[nodiscard]] inline request_base* request_in(envelope* handled) noexcept {
  if (handled == nullptr || handled->table->asked == nullptr) return nullptr;
  return handled->table->asked(*handled);
}

}  // namespace troupe::inline v0_1::detail
