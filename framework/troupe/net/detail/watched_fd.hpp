#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <troupe/net/detail/frame_allocator.hpp>
#include <troupe/net/detail/reactor_core.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/task/waker.hpp>

namespace troupe::net::detail {

/// Who waits for one direction of a descriptor, and whether Asio watches it for them.
///
///   word_          means                                       changed by
///   0              nobody waits, Asio does not watch           enlist -> armed|waker
///   armed          Asio watches for nobody (a wait was left)   enlist -> armed|waker; fire -> 0
///   armed|waker    Asio watches and will wake                  delist -> armed; fire -> 0
///   bit closed     nobody may wait any more; stays             close(), which also takes the waker
///
///   R1. Only the turn of the task that uses the direction enlists and delists. So only it arms, and
///       never twice.
///   R2. Each armed wait fires once, inside the io_context: it takes `armed` and the waker in one
///       step and wakes. Nothing is read from the slot afterwards.
///   R3. No readiness is lost between a try that would block and enlist(). If the slot is not armed
///       then, enlist() arms it, and arming (EPOLL_CTL_MOD) reports what is there already. If it is
///       armed, either the edge is still to come, or its fire() is: both find the new waker, or
///       fire() was faster than enlist()'s exchange, which then sees 0 and arms.
///   R4. A wake may be in vain: a fire() can belong to bytes that were taken before it ran.
///   R5. All orders are relaxed. The word says all there is to say; what a task then finds on the
///       descriptor is ordered by the kernel, and its waking by the task's own wake word.
class wait_slot {
public:
  /// Returns: whether `key` now waits, and whether the caller has to arm the slot (R1).
  struct enlisted {
    bool waits;
    bool must_arm;
  };
  [[nodiscard]] enlisted enlist(waker key) noexcept {
    std::uint64_t seen = word_.load(std::memory_order_relaxed);
    do {
      if ((seen & closed) != 0) return enlisted{false, false};
    } while (!word_.compare_exchange_weak(seen, key.bits() | armed, std::memory_order_relaxed));
    return enlisted{true, (seen & armed) == 0};
  }

  void delist() noexcept { word_.fetch_and(armed | closed, std::memory_order_relaxed); }

  /// The armed wait is over. R2
  void fire() noexcept { wake(word_.fetch_and(closed, std::memory_order_relaxed)); }

  /// Lets nobody wait any more. Threads: any.
  void close() noexcept {
    std::uint64_t seen = word_.load(std::memory_order_relaxed);
    while (!word_.compare_exchange_weak(seen, (seen & armed) | closed,
                                        std::memory_order_relaxed)) {
    }
    wake(seen);
  }

  [[nodiscard]] bool is_closed() const noexcept {
    return (word_.load(std::memory_order_relaxed) & closed) != 0;
  }

private:
  static constexpr std::uint64_t armed = 1, closed = 2;

  static void wake(std::uint64_t word) noexcept {
    waker::from_bits(word & ~(armed | closed)).wake();
  }

  pal::atomic<std::uint64_t> word_{0};
};

/// A non-blocking descriptor and the waits for its readiness; frees itself when it was released and
/// the last wait that Asio held has run, or was destroyed with the io_context.
///
/// Threads: each slot belongs to one task at a time. Both may be armed at the same time, although
/// Asio calls its objects unsafe to share: once non-blocking mode has been set, which the
/// constructor does, a wait only reads the descriptor object, and epoll's state has a lock of its
/// own. release() comes last and alone; it may meet a running fire(), which does not touch the
/// descriptor object.
class watched_fd {
public:
  watched_fd(const watched_fd&) = delete;
  watched_fd& operator=(const watched_fd&) = delete;

protected:
  /// Takes over `fd`, also when it throws.
  /// Errors: system_error when epoll does not take the descriptor; std::bad_alloc.
  watched_fd(std::shared_ptr<reactor_core> core, int fd);
  virtual ~watched_fd();

  [[nodiscard]] int fd() const noexcept { return fd_; }
  [[nodiscard]] const std::shared_ptr<reactor_core>& core() const noexcept { return core_; }

  /// Enlists in `slot`, which is a member of this object, and watches for `what`.
  using wait_type = boost::asio::posix::descriptor_base::wait_type;
  [[nodiscard]] bool enlist(wait_slot& slot, wait_type what, waker key) noexcept;

  /// Closes the descriptor and gives this object up.
  void release() noexcept;

  /// What Asio calls, once; also keeps the object.
  class firing {
  public:
    using allocator_type = frame_allocator<void>;
    [[nodiscard]] allocator_type get_allocator() const noexcept { return {}; }

    firing(watched_fd& of, wait_slot& slot) noexcept : of_{&of}, slot_{&slot} { of.keep(); }
    firing(firing&& other) noexcept : of_{std::exchange(other.of_, nullptr)}, slot_{other.slot_} {}
    firing& operator=(firing&&) = delete;
    ~firing() {
      if (of_ != nullptr) of_->drop();
    }
    void operator()(const boost::system::error_code&) noexcept { slot_->fire(); }

  private:
    watched_fd* of_;
    wait_slot* slot_;
  };

private:
  void keep() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void drop() noexcept {
    // The last one destroys what all others have written.
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  using descriptor = boost::asio::posix::basic_stream_descriptor<
      boost::asio::io_context::executor_type>;

  std::shared_ptr<reactor_core> core_;
  std::optional<descriptor> descriptor_;  // Nothing after release().
  int fd_;
  pal::atomic<std::uint32_t> references_{1};
};

}  // namespace troupe::net::detail
