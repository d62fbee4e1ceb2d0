#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include <model/threads.hpp>

#include <troupe/version.hpp>

/// Stands in for the header of the same name: a thread is one of the scenario's, which runs what it
/// is given by model::threads.
namespace troupe::inline v0_1::pal {

class thread {
public:
  template <class Body>
  explicit thread(Body body) : index_{model::threads::current().begin(std::move(body))} {}
  thread(thread&& other) noexcept : index_{std::exchange(other.index_, nobody)} {}

  [[nodiscard]] bool joinable() const noexcept { return index_ != nobody; }
  void join() { model::threads::current().join(std::exchange(index_, nobody)); }
  void detach() { index_ = nobody; }

private:
  static constexpr std::size_t nobody = static_cast<std::size_t>(-1);

  std::size_t index_;
};

using thread_id = unsigned;
inline thread_id this_thread() noexcept {
  return static_cast<thread_id>(rl::ctx().current_thread()) + 1;
}

inline bool pin_to_core(std::size_t) noexcept { return true; }
inline void set_thread_name(const std::string&) noexcept {}
inline void wake_up_in_time() noexcept {}
inline unsigned usable_cores() noexcept { return 8; }
inline void yield_thread() noexcept { rl::ctx().yield(1, {}); }
inline void spin_hint() noexcept { rl::ctx().yield(1, {}); }

}  // namespace troupe::inline v0_1::pal
