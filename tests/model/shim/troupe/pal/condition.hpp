#pragma once

#include <condition_variable>
#include <source_location>

#include <troupe/pal/mutex.hpp>

/// Stands in for the header of the same name: Relacy's condition variable. A wait may end for no
/// reason, and one with an end in time may end at any moment.
namespace troupe::inline v0_1::pal {

class condition {
public:
  void notify_one() { inner_.notify_one(here()); }
  void notify_all() { inner_.notify_all(here()); }

  void wait(lock& held) {
    adapter adapted{held};
    inner_.wait(adapted, here());
  }
  template <class Predicate>
  void wait(lock& held, Predicate done) {
    while (!done()) wait(held);
  }

  template <class Time>
  std::cv_status wait_until(lock& held, const Time& until) {
    adapter adapted{held};
    return inner_.wait_for(adapted, until, here()) ? std::cv_status::no_timeout
                                                   : std::cv_status::timeout;
  }
  template <class Time, class Predicate>
  bool wait_until(lock& held, const Time& until, Predicate done) {
    while (!done()) {
      if (wait_until(held, until) == std::cv_status::timeout) return done();
    }
    return true;
  }

  template <class Duration, class Predicate>
  bool wait_for(lock& held, const Duration& length, Predicate done) {
    return wait_until(held, length, done);
  }

private:
  struct adapter {
    pal::lock& held;
    void lock(rl::debug_info_param) { held.lock(); }
    void unlock(rl::debug_info_param) { held.unlock(); }
  };

  static rl::debug_info here() { return model::info_of(std::source_location::current()); }

  rl::condition_variable inner_;
};

}  // namespace troupe::inline v0_1::pal
