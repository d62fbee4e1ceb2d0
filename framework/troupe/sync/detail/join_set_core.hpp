#pragma once

#include <cstddef>
#include <functional>
#include <utility>

#include <troupe/base/intrusive_list.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/pal/mutex.hpp>
#include <troupe/task/core.hpp>
#include <troupe/task/join_handle.hpp>
#include <troupe/task/task.hpp>

namespace troupe::inline v0_1::detail {

/// One task of a join_set, from spawn() until its result is taken.
struct set_member : list_link {
  task_core* task = nullptr;  ///< Of the set's user, who has its handle; set once it was started.
};

/// The part of a join_set that does not depend on its type. Owned by the set and by its running
/// tasks together, since these may outlive it.
///
/// The tasks have no owner but handles, one each, here: a runtime that ends sees to them as to any
/// other. A task tells of its end by the last destructor of its callable, a moment before it is
/// done(); who takes its result waits for that.
class join_set_core {
public:
  join_set_core() = default;
  join_set_core(const join_set_core&) = delete;
  join_set_core& operator=(const join_set_core&) = delete;

  // --- the set's user ---

  /// Returns: a fresh member among those that run; a membership must follow.
  [[nodiscard]] set_member& add();
  /// Takes out a member whose task could not be started. Requires: its membership has ended.
  void remove_ended(set_member& failed) noexcept;
  /// Returns: the member that ended first, taken out; null for none.
  [[nodiscard]] set_member* pop_ended() noexcept;
  void request_stop() noexcept;
  /// The last step of the set: stops what runs, and detaches everything.
  void let_go() noexcept;
  [[nodiscard]] std::size_t size() const noexcept;

  enum class wanted { next, all };
  /// Returns: whether the next result can be taken or will never come; or whether all have ended.
  [[nodiscard]] bool is_ready(wanted what) noexcept;
  /// Asks for `key` to be woken when that may hold. False: it does. `joined` is set to the task
  /// that was joined for that, if it was one.
  [[nodiscard]] bool enlist(wanted what, waker key, task_core*& joined) noexcept;

  // --- a task ---

  void end(set_member& ended) noexcept;

private:
  ~join_set_core() = default;
  [[nodiscard]] task_core* first_not_done(wanted what) noexcept;
  void release() noexcept;

  mutable pal::mutex mutex_;
  intrusive_list<set_member> running_;
  intrusive_list<set_member> ended_;  // Oldest first.
  std::size_t size_ = 0;
  waker waiting_;         // For an end, when no ended task is there to be joined.
  bool is_gone_ = false;  // The set is.
  pal::atomic<std::size_t> owners_{1};
};

/// A running task's place in its set.
class membership {
public:
  membership(join_set_core& set, set_member& of) noexcept : set_{&set}, of_{&of} {}
  membership(membership&& other) noexcept
      : set_{std::exchange(other.set_, nullptr)}, of_{other.of_} {}
  membership& operator=(membership&&) = delete;
  ~membership() {
    if (set_ != nullptr) set_->end(*of_);
  }

private:
  join_set_core* set_;
  set_member* of_;
};

/// What a task of a set runs. Its membership ends last, when all that the task has held is gone.
template <class F>
class task_in_set {
public:
  template <class From>
  task_in_set(membership place, From&& function)
      : place_{std::move(place)}, function_{std::forward<From>(function)} {}

  template <class... Args>
  auto operator()(Args&&... args) && {
    if constexpr (is_task<F>::value) {
      return std::move(function_);
    } else {
      return std::invoke(std::move(function_), std::forward<Args>(args)...);
    }
  }

private:
  membership place_;
  F function_;
};

/// A task whose result is being taken; its handle is dropped at the end.
class ended_task {
public:
  explicit ended_task(join_set_core& from) noexcept : member_{from.pop_ended()} {}
  ended_task(const ended_task&) = delete;
  ended_task& operator=(const ended_task&) = delete;
  ~ended_task() {
    if (member_ == nullptr) return;
    member_->task->detach();
    delete member_;
  }
  [[nodiscard]] task_core* task() const noexcept {
    return member_ == nullptr ? nullptr : member_->task;
  }

private:
  set_member* member_;
};

template <join_set_core::wanted What>
class wait_for_set {
public:
  explicit wait_for_set(join_set_core& core) noexcept : core_{&core} {}
  wait_for_set(wait_for_set&& other) noexcept : core_{other.core_} {}  // Before it has waited.

  bool poll() noexcept { return core_->is_ready(What); }
  bool enlist(waker key) noexcept { return core_->enlist(What, key, joined_); }
  void delist() noexcept {
    if (joined_ != nullptr) std::exchange(joined_, nullptr)->leave();
  }

protected:
  join_set_core* core_;

private:
  task_core* joined_ = nullptr;
};

class next_ended : public wait_for_set<join_set_core::wanted::next> {
public:
  static constexpr const char* name = "the next end of a task of a join_set";
  using wait_for_set::wait_for_set;
};

class all_canceled final : public wait_for_set<join_set_core::wanted::all> {
public:
  static constexpr const char* name = "the end of all canceled tasks of a join_set";
  using wait_for_set::wait_for_set;
  void start() noexcept { core_->request_stop(); }
  [[nodiscard]] bool shielded() const noexcept { return true; }
  void take() noexcept {}
};

}  // namespace troupe::inline v0_1::detail
