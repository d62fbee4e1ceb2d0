#pragma once

#include <cstddef>
#include <utility>

#include <troupe/base/intrusive_list.hpp>
#include <troupe/base/result.hpp>
#include <troupe/pal/mutex.hpp>
#include <troupe/sync/detail/claimed_tasks.hpp>
#include <troupe/task/operation.hpp>

namespace troupe {

/// A number of permits: tasks take some, wait while there are too few, and give them back.
///
/// First come, first served: who waits is served before all that come later, however many permits
/// it wants, so that a large request is not starved by small ones.
///
/// Requires: it outlives its permits and the waits for them.
/// Threads:  any, also foreign ones; acquire() is awaited by tasks.
/// Bounds:   no allocation; a wait lies in the frame of who waits.
/// Source:   Tokio's Semaphore.
/// Example:
///     semaphore at_most_ten{10};
///     auto permit = co_await at_most_ten.acquire();
///     co_await call_the_service();
class semaphore {
public:
  explicit semaphore(std::size_t count) noexcept : available_{count} {}
  semaphore(const semaphore&) = delete;
  semaphore& operator=(const semaphore&) = delete;

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
    void release() noexcept {
      std::size_t held = std::exchange(count_, 0);
      if (held > 0) std::exchange(of_, nullptr)->add(held);
    }

    /// Never gives them back: the semaphore has so many fewer. Returns: how many those are.
    std::size_t forget() noexcept {
      of_ = nullptr;
      return std::exchange(count_, 0);
    }

    /// Returns: how many permits this is; 0 after release(), forget() and a move.
    [[nodiscard]] std::size_t count() const noexcept { return count_; }

  private:
    friend class semaphore;
    permit(semaphore& of, std::size_t count) noexcept : of_{&of}, count_{count} {}

    semaphore* of_;
    std::size_t count_;
  };

  class acquire_operation final : public detail::fallible_operation<acquire_operation>,
                                  private list_link {
  public:
    static constexpr const char* name = "permits of a semaphore";

    acquire_operation(semaphore& from, std::size_t count) noexcept : from_{&from}, count_{count} {}
    acquire_operation(acquire_operation&& other) noexcept  // Before it has waited.
        : acquire_operation{*other.from_, other.count_} {}
    ~acquire_operation() {
      if (has_begun_) from_->leave(*this);
    }

    void start() noexcept {
      has_begun_ = true;
      is_given_up_ = false;
    }
    /// Gives up its place, and what it may have got: who has lost a race, or is stopped, holds
    /// nobody up while others unwind.
    void stop() noexcept {
      from_->leave(*this);
      is_given_up_ = true;
    }
    bool poll() noexcept { return is_given_up_ || from_->try_serve(*this); }
    bool enlist(waker key) noexcept { return from_->line_up(*this, key); }
    void delist() noexcept {}  // It keeps its place until it is served or stopped.
    result<permit> take();

  private:
    friend class semaphore;
    friend class intrusive_list<acquire_operation>;

    enum class state : unsigned char {
      idle,     ///< In no line, and owns nothing.
      waiting,  ///< In the line.
      served,   ///< It owns `count_` permits.
      refused,  ///< The semaphore was closed first.
    };

    semaphore* from_;
    std::size_t count_;
    waker key_;
    state state_ = state::idle;  // Under the semaphore's lock, but for take().
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
    return acquire_operation{*this, count};
  }

  /// Takes permits without waiting. Requires: `count` above zero.
  /// Errors: `errc::empty` when there are too few, or somebody waits already; `errc::closed`.
  [[nodiscard]] result<permit> try_acquire(std::size_t count = 1);

  /// Adds permits that nobody has held. Also how a permit comes back.
  void add(std::size_t count) noexcept;

  /// Refuses: all that wait, and all that come, get `errc::closed`. Permits that are held stay
  /// valid.
  void close() noexcept;
  [[nodiscard]] bool is_closed() const noexcept;

  /// Returns: how many permits nobody holds at the moment.
  [[nodiscard]] std::size_t available() const noexcept;

private:
  static void check(std::size_t count);

  [[nodiscard]] bool try_serve(acquire_operation& wish) noexcept;
  [[nodiscard]] bool line_up(acquire_operation& wish, waker key) noexcept;
  void leave(acquire_operation& wish) noexcept;
  void serve_line(detail::claimed_tasks& served) noexcept;

  mutable pal::mutex mutex_;
  intrusive_list<acquire_operation> line_;  // Oldest first; the first wants more than there are.
  std::size_t available_;
  bool closed_ = false;
};

inline result<semaphore::permit> semaphore::acquire_operation::take() {
  has_begun_ = false;
  switch (std::exchange(state_, state::idle)) {
    case state::served:
      return permit{*from_, count_};
    case state::refused:
      return make_error_code(errc::closed);
    default:
      throw canceled{};
  }
}

}  // namespace troupe
