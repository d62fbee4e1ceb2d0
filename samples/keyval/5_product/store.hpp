#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "../2_parse/answers.hpp"
#include "../2_parse/requests.hpp"
#include "../3_store/table.hpp"
#include "../4_shards/expiries.hpp"
#include "commands.hpp"

namespace keyval {

/// What a part of the keys holds, and what each command does to it; no actor, and without I/O.
///
/// A command that changes something adds to the log what makes the same change once more: times
/// are those of the clock, and a key that is over is deleted.
/// Bounds: what it holds; a command costs what Redis says it does.
class store {
public:
  explicit store(bool is_logging) noexcept : is_logging_{is_logging} {}

  /// What follows happens at that time. Zero: before all times, so that no key is over.
  void go_to(unix_ms now) noexcept { now_ = now; }
  /// Whether changes go to the log. Returns: what was in force.
  bool log_changes(bool on) noexcept { return std::exchange(is_logging_, on); }
  /// Returns: the log since the last call.
  [[nodiscard]] std::string take_log() noexcept { return std::exchange(log_, {}); }

  /// When the next key is over. Returns: nothing while none ever is.
  [[nodiscard]] std::optional<unix_ms> next_expiry() const;
  /// Deletes keys that are over, at most so many. Returns: whether there are more.
  bool sweep(std::size_t most);

  // The commands. Requires: as many words as the command takes.
  void append(words asked, answers& out);
  void dbsize(words asked, answers& out);
  void decr(words asked, answers& out) { add(asked, -1, out); }
  void del(words asked, answers& out);
  void exists(words asked, answers& out);
  void expire(words asked, answers& out);
  void flushall(words asked, answers& out);
  void get(words asked, answers& out);
  void get_any(words asked, answers& out);
  void hget(words asked, answers& out);
  void hset(words asked, answers& out);
  void incr(words asked, answers& out) { add(asked, 1, out); }
  void keys(words asked, answers& out);
  void length(words asked, answers& out);
  void lpop(words asked, answers& out) { pop(asked, true, out); }
  void lpush(words asked, answers& out) { push(asked, true, out); }
  void lrange(words asked, answers& out);
  void persist(words asked, answers& out);
  void pexpireat(words asked, answers& out);
  void rpop(words asked, answers& out) { pop(asked, false, out); }
  void rpush(words asked, answers& out) { push(asked, false, out); }
  void sadd(words asked, answers& out);
  void set(words asked, answers& out);
  void set_any(words asked, answers& out);
  void smembers(words asked, answers& out);
  void ttl(words asked, answers& out);

private:
  struct set_options;

  template <class T>
  looked_up<T> look(std::string_view key) {
    end_if_over(key);
    return values_.find<T>(key);
  }
  /// Returns: the T of that key, made where there is nothing; null, and an answer, for others.
  template <class T>
  T* look_or_make(std::string_view key, answers& out);
  template <class T>
  T* look_or_answer(std::string_view key, answers& out);
  void end_if_over(std::string_view key);
  void erase(std::string_view key);
  void add(words asked, std::int64_t what, answers& out);
  void push(words asked, bool in_front, answers& out);
  void pop(words asked, bool in_front, answers& out);
  bool read_options(words asked, set_options& into, answers& out) const;
  bool read_time(std::string_view text, bool is_seconds, bool is_absolute,
                 std::optional<unix_ms>& into, answers& out) const;
  void expire_at(words asked, unix_ms unit, unix_ms base, answers& out);
  [[nodiscard]] bool may_expire(words conditions, std::string_view key, unix_ms when) const;
  void log(words what);
  void log(std::initializer_list<std::string_view> what) { log(words{what.begin(), what.size()}); }

  table values_;
  expiries times_;
  std::string log_;
  unix_ms now_ = 0;
  bool is_logging_;
};

/// Adds a request, as a peer would send it.
void add_request(words what, std::string& to);

/// Returns: whether a text is one of those that a pattern of KEYS stands for.
[[nodiscard]] bool matches(std::string_view pattern, std::string_view text) noexcept;

}  // namespace keyval
