#include <troupe/net/reactor.hpp>

#include <cerrno>
#include <exception>
#include <source_location>

#include <sys/timerfd.h>

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <troupe/base/assert.hpp>
#include <troupe/base/result.hpp>
#include <troupe/net/detail/reactor_core.hpp>
#include <troupe/sched/scheduler.hpp>
#include <troupe/task/failure.hpp>

namespace troupe::net {

namespace asio = boost::asio;

/// Ends a wait at a time that epoll, which counts milliseconds, cannot name.
///
/// Threads: only inside wait(), so under the scheduler's driver lock.
class reactor::alarm {
public:
  explicit alarm(asio::io_context& context) : descriptor_{context, make()} {}

  /// Makes the wait that follows end at `until`, or earlier.
  void set(time_point until) {
    // An alarm that is too early costs one wait in vain. Times mostly move away (timeouts that are
    // cancelled), and then that is cheaper than a system call for each of them.
    if (!set_for_ || until < *set_for_) {
      auto since_boot = std::max(until.time_since_epoch(), time_point::duration{1});
      auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since_boot);
      itimerspec wanted{};
      wanted.it_value.tv_sec = seconds.count();
      wanted.it_value.tv_nsec = std::chrono::nanoseconds{since_boot - seconds}.count();
      // It also makes a timer that has gone off unreadable again.
      int failed = ::timerfd_settime(descriptor_.native_handle(), TFD_TIMER_ABSTIME, &wanted, {});
      TROUPE_ASSERT(failed == 0);
      set_for_ = until;
    }
    if (!waiting_) {
      waiting_ = true;
      descriptor_.async_wait(asio::posix::descriptor_base::wait_read,
                             [this](const boost::system::error_code& error) {
                               // When the descriptor is closed, this object is going.
                               if (error == asio::error::operation_aborted) return;
                               waiting_ = false;
                               set_for_.reset();
                             });
    }
  }

private:
  static int make() {
    int fd = ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (fd < 0) throw_error({errno, boost::system::system_category()});
    return fd;
  }

  asio::posix::basic_stream_descriptor<asio::io_context::executor_type> descriptor_;
  std::optional<time_point> set_for_;
  bool waiting_ = false;
};

reactor::reactor() : core_{std::make_shared<detail::reactor_core>()} {
  alarm_ = std::make_unique<alarm>(core_->context());
}

reactor::~reactor() = default;

template <class Run>
void reactor::run_handlers(Run run) {
  try {
    run();
  } catch (...) {
    report_failure(std::current_exception(), std::source_location::current());
  }
}

// Why no interrupt() is lost: interrupt() sets the flag and then stops the context; wait() starts
// the context again and then looks at the flag.
//   R1. A flag set before wait() looks at it ends this wait().
//   R2. A flag set after that look belongs to a stop() that comes after restart(): run_one() then
//       finds the context stopped, or is ended by it.
//   R3. A stop() that comes after its flag was taken (R1) ends the next wait() early: allowed.
//   R4. The flag is taken at the end too: an interrupt() up to there was for this wait().
//   R5. poll() starts the context as well, but leaves the flag for the next wait().
void reactor::wait(std::optional<time_point> until) {
  asio::io_context& context = core_->context();
  context.restart();
  if (core_->interrupted.exchange(false, std::memory_order_acquire)) {  // <- interrupt, R1
    run_handlers([&] { context.poll(); });
    return;
  }
  if (until) alarm_->set(*until);
  run_handlers([&] {
    if (context.run_one() != 0) context.poll();  // The rest of what came at the same time.
  });
  core_->interrupted.exchange(false, std::memory_order_acquire);  // <- interrupt, R4
}

void reactor::poll() {
  core_->context().restart();  // R5
  run_handlers([this] { core_->context().poll(); });
}

void reactor::interrupt() noexcept {
  core_->interrupted.store(true, std::memory_order_release);  // -> wait
  core_->context().stop();
}

void reactor::stop_intake() noexcept { core_->stop_intake(); }

reactor& reactor::current() {
  scheduler* here = scheduler::current();
  if (here == nullptr) {
    misuse("a net function was called outside a runtime: call it from a task, or start one with "
           "troupe::run(main)");
  }
  auto* found = dynamic_cast<reactor*>(&here->io());
  if (found == nullptr) {
    misuse("this runtime has no sockets: build its scheduler with net::reactor as the driver");
  }
  return *found;
}

}  // namespace troupe::net
