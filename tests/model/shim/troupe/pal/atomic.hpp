#pragma once

#include <array>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <source_location>
#include <type_traits>

#include <model/relacy.hpp>
#include <model/sites.hpp>

#include <troupe/version.hpp>

namespace troupe::model {

/// While true, an atomic that is made becomes Relacy's matter with its first use: for objects of
/// which a schedule uses a few of many atomics, made before the threads begin.
inline bool makes_atomics_lazily = false;

/// Sets that no thread has read an atomic yet, of which rl::atomic_init() leaves out to say so; by
/// the scenario, which knows how many threads there are.
inline void (*set_unseen)(rl::atomic_data*) = nullptr;

/// An operation, as a line of the history of a violation.
struct atomic_event {
  const void* atomic;
  const char* what;
  std::uintptr_t value;
  rl::memory_order order;

  void output(std::ostream& out) const {
    out << "<" << atomic << "> " << what << ", value=" << std::hex << value << std::dec
        << ", order=" << rl::format(order);
  }
};

template <class T>
std::uintptr_t shown(T value) {
  if constexpr (std::is_pointer_v<T>) {
    return reinterpret_cast<std::uintptr_t>(value);
  } else if constexpr (std::is_enum_v<T> || std::integral<T>) {
    return static_cast<std::uintptr_t>(value);
  } else {
    return 0;
  }
}

}  // namespace troupe::model

/// Stands in for the header of the same name: an atomic whose values, as other threads may see them
/// late, are Relacy's matter. Each operation is a point at which another thread may go on.
///
/// rl::atomic is not used, since it knows no CAS whose second order is stronger than its first.
/// An atomic that is made before a model runs is a plain value.
namespace troupe::inline v0_1::pal {

template <class T>
class atomic {
  using line = std::source_location;
  using order = std::memory_order;
  using access = model::access;
  using thread = rl::thread_info_base;
  using difference = std::conditional_t<std::is_pointer_v<T>, std::ptrdiff_t, T>;
  static constexpr order strongest = std::memory_order_seq_cst;

public:
  using value_type = T;
  static constexpr bool is_always_lock_free = true;

  constexpr atomic() noexcept : atomic{T{}} {}
  constexpr atomic(T value) noexcept : value_{value} {  // NOLINT: as std::atomic's
    if (std::is_constant_evaluated() || !rl::is_ctx() || rl::ctx().threadx_ == nullptr) return;
    state_ = fresh;
    if (model::makes_atomics_lazily) return;
    attach();
    keep(value_, self().atomic_store_relaxed(data_));
    life_ = rl::ctx().var_ctor();
    life_->init(self());
  }
  atomic(const atomic&) = delete;
  atomic& operator=(const atomic&) = delete;
  constexpr ~atomic() {
    if (!std::is_constant_evaluated() && data_ != nullptr) detach();
  }

  T load(order how = strongest, line where = line::current()) const noexcept {
    if (!is_modelled()) return value_;
    how = model::order_at(how, access::load, where);
    step(where);
    unsigned index = late_ < max_late ? load_index(how) : newest_index(how);
    late_ = index == newest_ || rl::ctx().is_random_sched() ? 0 : late_ + 1;
    tell("load", history_[index], how, where);
    return history_[index];
  }

  void store(T value, order how = strongest, line where = line::current()) noexcept {
    if (!is_modelled()) return void(value_ = value);
    how = model::order_at(how, access::store, where);
    step(where);
    switch (how) {
      case std::memory_order_relaxed:
        keep(value, self().atomic_store_relaxed(data_));
        break;
      case std::memory_order_seq_cst:
        keep(value, self().atomic_store_seq_cst(data_));
        break;
      default:
        keep(value, self().atomic_store_release(data_));
    }
    tell("store", value, how, where);
  }

  T exchange(T value, order how = strongest, line where = line::current()) noexcept {
    return modify("exchange", how, where, [&](T) { return value; });
  }
  T fetch_add(difference by, order how = strongest, line where = line::current()) noexcept {
    return modify("fetch_add", how, where, [&](T old) { return static_cast<T>(old + by); });
  }
  T fetch_sub(difference by, order how = strongest, line where = line::current()) noexcept {
    return modify("fetch_sub", how, where, [&](T old) { return static_cast<T>(old - by); });
  }
  T fetch_or(T bits, order how = strongest, line where = line::current()) noexcept {
    return modify("fetch_or", how, where, [&](T old) { return static_cast<T>(old | bits); });
  }
  T fetch_and(T bits, order how = strongest, line where = line::current()) noexcept {
    return modify("fetch_and", how, where, [&](T old) { return static_cast<T>(old & bits); });
  }
  T fetch_xor(T bits, order how = strongest, line where = line::current()) noexcept {
    return modify("fetch_xor", how, where, [&](T old) { return static_cast<T>(old ^ bits); });
  }

  bool compare_exchange_strong(T& expected, T desired, order how = strongest,
                               line where = line::current()) noexcept {
    return compare_ordered(expected, desired, how, false, where);
  }
  bool compare_exchange_strong(T& expected, T desired, order how, order otherwise,
                               line where = line::current()) noexcept {
    return compare_ordered(expected, desired, how, otherwise, false, where);
  }
  bool compare_exchange_weak(T& expected, T desired, order how = strongest,
                             line where = line::current()) noexcept {
    return compare_ordered(expected, desired, how, true, where);
  }
  bool compare_exchange_weak(T& expected, T desired, order how, order otherwise,
                             line where = line::current()) noexcept {
    return compare_ordered(expected, desired, how, otherwise, true, where);
  }

  /// The newest value, for who stands outside of the threads: an invariant, the model's futex.
  [[nodiscard]] T debug_value() const noexcept { return value_; }

private:
  // Unlike anything that memory holds by chance.
  static constexpr std::uint32_t outside = 0x6f757473, fresh = 0x66726573, alive = 0x616c6976;
  // So often in a row a load may see an old value where all schedules are tried one by one: a loop
  // that waits for the new one would have no end there.
  static constexpr unsigned max_late = 2;

  static thread& self() { return *rl::ctx().threadx_; }
  static constexpr order without_release(order how) {
    if (how == std::memory_order_acq_rel) return std::memory_order_acquire;
    return how == std::memory_order_release ? std::memory_order_relaxed : how;
  }

  // With the orders that the schedule's mutant asks for at that line. Without one for a failure it
  // follows from the other.
  bool compare_ordered(T& expected, T desired, order how, bool is_weak, line where) noexcept {
    how = model::order_at(how, access::exchange, where);
    return compare(expected, desired, how, without_release(how), is_weak, where);
  }
  bool compare_ordered(T& expected, T desired, order how, order otherwise, bool is_weak,
                       line where) noexcept {
    how = model::order_at(how, access::exchange, where);
    otherwise = model::order_at(otherwise, access::load, where, true);
    return compare(expected, desired, how, otherwise, is_weak, where);
  }

  bool is_modelled() const {
    if (data_ == nullptr && state_ == fresh) const_cast<atomic*>(this)->attach_late();
    return data_ != nullptr;
  }
  // As if all threads had seen how it was made.
  void attach_late() {
    attach();
    keep(value_, self().atomic_init(data_));
    model::set_unseen(data_);
  }
  void attach() {
    data_ = rl::ctx().atomic_ctor(this);
    state_ = alive;
  }
  void detach() {
    if (!rl::is_ctx()) return;  // Relacy has gone, with all that it knew.
    check_alive(line::current());
    if (life_ != nullptr) {
      check_order(life_->store(self()), line::current());
      rl::ctx().var_dtor(life_);
    }
    *const_cast<volatile std::uint32_t*>(&state_) = 0;  // Else the compiler may leave it out.
    rl::ctx().atomic_dtor(data_);
  }
  void check_alive(const line& where) const {
    if (*const_cast<const volatile std::uint32_t*>(&state_) == alive) return;
    rl::ctx().fail_test("", rl::test_result_access_to_freed_memory, model::info_of(where));
  }

  // It is not enough that an operation comes after the birth and before the end of the atomic: it
  // has to be ordered with both, or the memory may not be what it seems.
  static void check_order(bool is_ordered, const line& where) {
    if (is_ordered) [[likely]]
      return;
    rl::ctx().fail_test("an atomic is used beside its birth or its end", rl::test_result_data_race,
                        model::info_of(where));
  }

  void step(const line& where) const {
    rl::ctx().sched();
    check_alive(where);
    if (life_ != nullptr) check_order(life_->load(self()), where);
  }
  void keep(T value, unsigned index) {
    history_[index] = value;
    newest_ = index;
    value_ = value;
  }
  void tell(const char* what, T value, order how, const line& where) const {
    rl::context& c = rl::ctx();
    if (!c.collecting_history()) [[likely]]
      return;
    model::atomic_event event{this, what, model::shown(value), model::to_relacy(how)};
    c.exec_log(model::info_of(where), event);
  }

  // Relacy's index of the value that a load sees, which may be an older one.
  unsigned load_index(order how) const {
    switch (how) {
      case std::memory_order_relaxed:
        return self().atomic_load_relaxed(data_);
      case std::memory_order_seq_cst:
        return self().atomic_load_seq_cst(data_);
      default:
        return self().atomic_load_acquire(data_);
    }
  }
  unsigned newest_index(order how) const {
    switch (how) {
      case std::memory_order_relaxed:
        return self().atomic_load_relaxed_rmw(data_);
      case std::memory_order_seq_cst:
        return self().atomic_load_seq_cst_rmw(data_);
      default:
        return self().atomic_load_acquire_rmw(data_);
    }
  }
  unsigned exchange_index(order how) {
    bool seen_late = false;
    switch (how) {
      case std::memory_order_relaxed:
        return self().atomic_rmw_relaxed(data_, seen_late);
      case std::memory_order_release:
        return self().atomic_rmw_release(data_, seen_late);
      case std::memory_order_acq_rel:
        return self().atomic_rmw_acq_rel(data_, seen_late);
      case std::memory_order_seq_cst:
        return self().atomic_rmw_seq_cst(data_, seen_late);
      default:
        return self().atomic_rmw_acquire(data_, seen_late);
    }
  }

  template <class Change>
  T modify(const char* what, order how, const line& where, Change change) {
    T old = value_;
    if (!is_modelled()) {
      value_ = change(old);
      return old;
    }
    how = model::order_at(how, access::exchange, where);
    step(where);
    old = value_;
    keep(change(old), exchange_index(how));
    tell(what, value_, how, where);
    return old;
  }

  bool compare(T& expected, T desired, order how, order otherwise, bool weak, const line& where) {
    if (is_modelled()) step(where);
    bool is_equal = value_ == expected;
    // A weak one fails for no reason one time in four.
    if (is_equal && weak && data_ != nullptr && rl::ctx().is_random_sched()) {
      is_equal = rl::ctx().rand(4, rl::sched_type_cas_fail) != 0;
    }
    if (!is_equal) {
      expected = value_;
      if (data_ == nullptr) return false;
      newest_index(otherwise);
      tell("compare_exchange fails", value_, otherwise, where);
      return false;
    }
    if (data_ == nullptr) {
      value_ = desired;
      return true;
    }
    keep(desired, exchange_index(how));
    tell("compare_exchange", desired, how, where);
    return true;
  }

  T value_;  // The newest one.
  std::array<T, rl::atomic_history_size> history_{};
  rl::atomic_data* data_ = nullptr;
  rl::var_data* life_ =
      nullptr;  // Written by birth and end, read by all else; null if made lazily.
  unsigned newest_ = 0;
  mutable unsigned late_ = 0;
  std::uint32_t state_ = outside;
};

}  // namespace troupe::inline v0_1::pal
