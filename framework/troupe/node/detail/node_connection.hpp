#pragma once

#include <atomic>
#include <exception>
#include <memory>
#include <string>
#include <string_view>

#include <troupe/io/stream.hpp>
#include <troupe/node/detail/frames.hpp>
#include <troupe/node/options.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/pal/mutex.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/scope.hpp>
#include <troupe/task/task.hpp>

namespace troupe::inline v0_1::detail {

/// Who gets the frames of a connection, one after the other.
class frame_receiver {
public:
  /// The connection is open; tasks of `tasks` end with it.
  virtual void begin(scope_handle tasks) = 0;
  /// Throws a system_error, best of node_errc::broken, when it is no frame to be sent here.
  virtual void receive(frame_bytes frame) = 0;

protected:
  ~frame_receiver() = default;
};

/// A connection to another node, from the handshake on: frames in both directions, signs of life,
/// and its end.
///
/// What is sent while an earlier part is on its way goes out as one with what comes after it.
class node_connection {
public:
  node_connection(io::stream peer, const node_options& limits) noexcept
      : peer_{std::move(peer)}, limits_{limits} {}
  node_connection(const node_connection&) = delete;
  node_connection& operator=(const node_connection&) = delete;

  /// Puts a frame behind those that wait to go out. After the end it does nothing. Threads: any.
  template <class Frame>
  void send(const Frame& frame, std::string_view payload = {}) {
    pal::lock guard{mutex_};
    if (is_closing_) return;
    bool was_empty = out_.empty();
    append_frame(out_, frame, payload);
    bool is_too_much = out_.size() > limits_.max_unsent_bytes;
    guard.unlock();
    if (is_too_much) return break_off("it does not read what it is sent");
    if (was_empty) ready_.set();
  }

  /// Ends it in order: what was sent goes out, then a bye with `words`. Threads: any.
  void close(std::string words);
  /// Ends it now. Threads: any.
  void break_off(std::string words);

  /// Passes frames on to `to` until the end, which is always a system_error: node_errc::lost with
  /// the cause, or what `to` has thrown; after close() node_errc::stopped.
  [[nodiscard]] task<> run(frame_receiver& to);

  /// Returns: when the last bytes came.
  [[nodiscard]] time_point heard_at() const noexcept {
    return time_point{duration{last_heard_.load(std::memory_order_relaxed)}};
  }

private:
  task<> work(frame_receiver& to, scope_handle tasks);
  task<> read(frame_receiver& to);
  task<> read_until_end(frame_receiver& to, std::exception_ptr& why);
  task<> write();
  task<> beat();
  task<> watch();
  [[nodiscard]] bool is_broken_off();
  void forget();

  io::stream peer_;
  const node_options& limits_;
  pal::atomic<duration::rep> last_heard_{0};
  event ready_;    // Something waits to go out, or is_closing_.
  event closing_;  // The end was asked for.
  event written_;  // After that, all that was sent.

  pal::mutex mutex_;
  std::string out_;
  std::string words_;
  bool is_closing_ = false;
  bool is_broken_off_ = false;
};

/// Throws node_errc::broken: what has come is no part of the protocol.
[[noreturn]] void throw_broken(const std::string& words);

/// Says hello and hears it. Errors: system_error of node_errc, with what was found in place of it.
[[nodiscard]] task<hello_frame> greet(io::stream& peer, const hello_frame& mine);
/// Hears a hello, and lets the other go with `words`.
[[nodiscard]] task<> turn_away(io::stream& peer, std::string words);

}  // namespace troupe::inline v0_1::detail
