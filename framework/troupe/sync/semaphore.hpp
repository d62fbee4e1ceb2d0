#pragma once

#include <cstddef>
#include <utility>

#include <troupe/base/intrusive_list.hpp>
#include <troupe/base/result.hpp>
#include <troupe/task/operation.hpp>

namespace troupe::inline v0_1 {

/// A number of permits: tasks take some, wait while there are too few, and give them back.
///
/// First come, first served: who waits is served before all that come later, however many permits
/// it wants, so that a large request is not starved by small ones.
///
/// Its destructor closes it. Permits may outlive it, and their end is then the end of it all.
/// Threads:  any, also foreign ones; acquire() is awaited by tasks.
/// Bounds:   one block for each semaphore, none for a permit: a wait lies in the frame of who
/// waits. Source:   Tokio's Semaphore. Example:
///     semaphore at_most_ten{10};
///     auto permit = co_await at_most_ten.acquire();
///     co_await call_the_service();
class semaphore {
  class core;

public:
  explicit semaphore(std::size_t count);
  semaphore(const semaphore&) = delete;
  semaphore& operator=(const semaphore&) = delete;
  ~semaphore();

  /// Permits that somebody holds; its destructor gives them back.
  class permit {
  public:
    permit(permit&& other) noexcept
        : of_{std::exchange(other.of_, nullptr)}, count_{std::exchange(other.count_, 0)} {}
    permit& operator=(permit&& other) noexcept {
      if (this != &other) {
        release();
        of_ = std::exchange(other.of_, nullptr);
        count_ = std::exchange(other.count_, 0);
      }
      return *this;
    }
    ~permit() { release(); }

    /// Gives them back now; nothing when they were given back already.
    void release() noexcept;

    /// Never gives them back: the semaphore has so many fewer. Returns: how many those are.
    std::size_t forget() noexcept;

    /// Returns: how many permits this is; 0 after release(), forget() and a move.
    [[nodiscard]] std::size_t count() const noexcept { return count_; }

  private:
    friend class semaphore;
    permit(core& of, std::size_t count) noexcept : of_{&of}, count_{count} {}

    core* of_;  // Null when there are none.
    std::size_t count_;
  };

  class acquire_operation final : public detail::fallible_operation<acquire_operation>,
                                  private list_link {
  public:
    static constexpr const char* name = "permits of a semaphore";

    acquire_operation(core& from, std::size_t count) noexcept;
    acquire_operation(acquire_operation&& other) noexcept  // Before it has waited.
        : from_{std::exchange(other.from_, nullptr)}, count_{other.count_} {}
    ~acquire_operation();

    void start() noexcept;
    /// Gives up its place, and what it may have got: who has lost a race, or is stopped, holds
    /// nobody up while others unwind.
    void stop() noexcept;
    bool poll() noexcept;
    bool enlist(waker key) noexcept;
    void delist() noexcept {}  // It keeps its place until it is served or stopped.
    result<permit> take();

  private:
    friend class core;
    friend class intrusive_list<acquire_operation>;

    enum class state : unsigned char {
      idle,     ///< In no line, and owns nothing.
      waiting,  ///< In the line.
      served,   ///< It owns `count_` permits.
      refused,  ///< The semaphore was closed first.
    };

    core* from_;  // Null once its permits were taken.
    std::size_t count_;
    waker key_;
    state state_ = state::idle;  // Under the core's lock, but for take().
    bool has_begun_ = false;     // These two on the task's own turn.
    bool is_given_up_ = false;
  };

  /// Waits for `count` permits, all of them at once.
  ///
  /// A count above what there will ever be waits, and holds up those behind it, until add(),
  /// close() or its own end.
  /// Requires: `count` above zero.
  /// Errors: `errc::closed` once close() was called.
  /// Cancel: no permit is taken; what it was about to get goes to the next.
  [[nodiscard]] acquire_operation acquire(std::size_t count = 1) {
    check(count);
    return acquire_operation{*core_, count};
  }

  /// Takes permits without waiting. Requires: `count` above zero.
  /// Errors: `errc::empty` when there are too few, or somebody waits already; `errc::closed`.
  [[nodiscard]] result<permit> try_acquire(std::size_t count = 1);

  /// Adds permits that nobody has held.
  void add(std::size_t count) noexcept;

  /// Refuses: all that wait, and all that come, get `errc::closed`. Permits that are held stay
  /// valid.
  void close() noexcept;
  [[nodiscard]] bool is_closed() const noexcept;

  /// Returns: how many permits nobody holds at the moment.
  [[nodiscard]] std::size_t available() const noexcept;

private:
  static void check(std::size_t count);

  core* core_;
};

}  // namespace troupe::inline v0_1
