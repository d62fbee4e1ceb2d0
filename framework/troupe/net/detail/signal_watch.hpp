#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <troupe/net/detail/owned_fd.hpp>
#include <troupe/net/detail/watched_fd.hpp>
#include <troupe/pal/signal_hook.hpp>

namespace troupe::inline v0_1::net::detail {

/// What a signals object waits with.
///
/// The handler counts a signal, and then writes to one event descriptor of the process. Each watch
/// has a copy of that in its reactor's epoll set. Each write is an edge in all of them: nobody has
/// to read it, and the handler knows no list that could change under it.
class signal_watch final : private watched_fd {
public:
  /// Errors: system_error.
  static signal_watch& make(std::shared_ptr<reactor_core> core, std::span<const int> numbers);

  /// Returns: a signal that has come and was not yet handed over; 0 when there is none.
  [[nodiscard]] int try_take() noexcept;

  [[nodiscard]] bool enlist(waker key) noexcept { return slot_.enlist(key); }
  void delist() noexcept { slot_.delist(); }
  [[nodiscard]] bool is_waited_for() const noexcept { return slot_.is_waited_for(); }

  /// Ends the listening and gives this object up.
  void close() noexcept;

private:
  struct heard {
    int number;
    std::uint64_t seen;  // Of the count of this signal.
  };

  signal_watch(std::shared_ptr<reactor_core> core, owned_fd fd, std::span<const int> numbers);
  ~signal_watch() override = default;

  void on_event(std::uint32_t) noexcept override { slot_.fire(false); }

  lone_slot slot_;
  std::vector<heard> heard_;
  std::vector<std::unique_ptr<pal::signal_hook>> hooks_;
  std::size_t first_ = 0;  // Where the next look begins, so that no signal hides another one.
};

}  // namespace troupe::inline v0_1::net::detail
