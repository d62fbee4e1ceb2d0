#pragma once

#include <atomic>
#include <source_location>
#include <vector>

namespace troupe::inline v0_1::test {

/// Where the locked operations of this thread are noted, with the line that asks for each; null
/// while nobody counts.
inline thread_local std::vector<std::source_location>* locked_operations = nullptr;

inline void note_locked(std::source_location where) {
  if (locked_operations != nullptr) locked_operations->push_back(where);
}

}  // namespace troupe::inline v0_1::test

/// Stands in for the header of the same name: an atomic that notes what x86-64 does with a lock
/// prefix or an xchg, so each exchange, each fetch, each CAS, each seq_cst store.
namespace troupe::inline v0_1::pal {

template <class T>
class atomic {
  using line = std::source_location;
  using order = std::memory_order;
  static constexpr order strongest = std::memory_order_seq_cst;

public:
  atomic() = default;
  constexpr atomic(T value) noexcept : value_{value} {}  // NOLINT: as std::atomic's
  atomic(const atomic&) = delete;
  atomic& operator=(const atomic&) = delete;

  T load(order how = strongest) const noexcept { return value_.load(how); }
  void store(T value, order how = strongest, line where = line::current()) noexcept {
    if (how == strongest) test::note_locked(where);
    value_.store(value, how);
  }
  T exchange(T value, order how = strongest, line where = line::current()) noexcept {
    test::note_locked(where);
    return value_.exchange(value, how);
  }
  T fetch_add(T value, order how = strongest, line where = line::current()) noexcept {
    test::note_locked(where);
    return value_.fetch_add(value, how);
  }
  T fetch_sub(T value, order how = strongest, line where = line::current()) noexcept {
    test::note_locked(where);
    return value_.fetch_sub(value, how);
  }
  T fetch_or(T value, order how = strongest, line where = line::current()) noexcept {
    test::note_locked(where);
    return value_.fetch_or(value, how);
  }
  T fetch_and(T value, order how = strongest, line where = line::current()) noexcept {
    test::note_locked(where);
    return value_.fetch_and(value, how);
  }
  bool compare_exchange_weak(T& expected, T desired, order how = strongest,
                             line where = line::current()) noexcept {
    test::note_locked(where);
    return value_.compare_exchange_weak(expected, desired, how);
  }
  bool compare_exchange_weak(T& expected, T desired, order how, order otherwise,
                             line where = line::current()) noexcept {
    test::note_locked(where);
    return value_.compare_exchange_weak(expected, desired, how, otherwise);
  }
  bool compare_exchange_strong(T& expected, T desired, order how = strongest,
                               line where = line::current()) noexcept {
    test::note_locked(where);
    return value_.compare_exchange_strong(expected, desired, how);
  }
  bool compare_exchange_strong(T& expected, T desired, order how, order otherwise,
                               line where = line::current()) noexcept {
    test::note_locked(where);
    return value_.compare_exchange_strong(expected, desired, how, otherwise);
  }

private:
  std::atomic<T> value_{};
};

}  // namespace troupe::inline v0_1::pal
