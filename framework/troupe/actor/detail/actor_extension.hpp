#pragma once

#include <string>

#include <troupe/actor/exit_reason.hpp>
#include <troupe/base/intrusive_list.hpp>
#include <troupe/pal/mutex.hpp>

namespace troupe::detail {

/// Told once when an actor has ended, under its extension's lock; lives where the waiting is.
struct exit_watcher : list_link {
  virtual void on_exit(const exit_reason& reason) noexcept = 0;

protected:
  ~exit_watcher() = default;
};

/// What only some actors have, made on first use.
struct actor_extension {
  pal::mutex mutex;
  std::string name;
  intrusive_list<exit_watcher> watchers;
  bool has_ended = false;
  exit_reason reason;
};

}  // namespace troupe::detail
