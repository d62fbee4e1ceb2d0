#pragma once

#include <troupe/actor/ref.hpp>

namespace troupe::inline v0_1 {

/// Has a function called when an actor has ended for good: for other systems that look after it.
class end_hook : private detail::watcher {
public:
  /// Called under a lock that other ends wait for: it must neither wait, nor throw, nor drop a ref.
  using function = void (*)(end_hook& self, const exit_reason& why) noexcept;

  /// `restarts`, if there is one, is called in the same way when an incarnation has ended and its
  /// supervisor starts the next.
  explicit end_hook(function act, function restarts = nullptr) noexcept
      : watcher{&told_of_end}, act_{act}, restarts_{restarts} {}
  end_hook(const end_hook&) = delete;
  end_hook& operator=(const end_hook&) = delete;
  ~end_hook() { detail::unwatch(*this); }

  /// Has it called when `whom` has ended; at once, if it has. Requires: not called before.
  /// Errors: std::bad_alloc.
  template <class A>
  void set(const ref<A>& whom) {
    detail::watch(whom.block(), *this);
  }
  /// After this it is not called.
  void unset() noexcept { detail::unwatch(*this); }

private:
  static void told_of_end(watcher& self, const exit_reason& why, bool restarts) noexcept {
    auto& mine = static_cast<end_hook&>(self);
    function told = restarts ? mine.restarts_ : mine.act_;
    if (told != nullptr) told(mine, why);
  }

  const function act_;
  const function restarts_;
};

}  // namespace troupe::inline v0_1
