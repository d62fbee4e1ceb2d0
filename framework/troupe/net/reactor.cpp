#include <troupe/net/reactor.hpp>

#include <cerrno>
#include <exception>
#include <source_location>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <troupe/base/assert.hpp>
#include <troupe/net/detail/reactor_core.hpp>
#include <troupe/sched/scheduler.hpp>
#include <troupe/task/failure.hpp>

namespace troupe::inline v0_1::net {

namespace asio = boost::asio;

/// Waits in an io_context, for its own events, for those of our epoll set, and for a time.
///
/// Made when somebody first uses the io_context; before, workers wait in our set alone.
/// Threads: only inside wait() and poll(), so under the scheduler's driver lock.
class reactor::asio_loop {
public:
  explicit asio_loop(detail::reactor_core& core)
      : core_{core},
        context_{core.context()},
        guard_{context_.get_executor()},
        events_{context_, core.take_events_fd()},
        alarm_{context_} {}

  void poll() {
    context_.restart();
    context_.poll();
  }

  void wait(std::optional<time_point> until) {
    context_.restart();
    if (!watching_) {
      watching_ = true;
      events_.async_wait(asio::posix::descriptor_base::wait_read,
                         [this](const boost::system::error_code& error) {
                           if (error != asio::error::operation_aborted) watching_ = false;
                         });
    }
    if (until && (!alarm_set_ || *until < alarm_.expiry())) {
      alarm_set_ = true;
      alarm_.expires_at(*until);
      alarm_.async_wait([this](const boost::system::error_code& error) {
        if (error != asio::error::operation_aborted) alarm_set_ = false;
      });
    }
    if (context_.run_one() != 0) context_.poll();  // The rest of what came at the same time.
    core_.events().poll();  // An interrupt ends this wait here as well: it makes the set readable.
  }

private:
  using executor = asio::io_context::executor_type;
  using clock = std::chrono::steady_clock;

  detail::reactor_core& core_;
  asio::io_context& context_;
  asio::executor_work_guard<executor> guard_;
  asio::posix::basic_stream_descriptor<executor> events_;
  asio::basic_waitable_timer<clock, asio::wait_traits<clock>, executor> alarm_;
  bool watching_ = false;
  bool alarm_set_ = false;
};

reactor::reactor() : core_{std::make_shared<detail::reactor_core>()} {}

reactor::~reactor() = default;

template <class Run>
void reactor::run_handlers(Run run) {
  try {
    if (asio_ == nullptr) asio_ = std::make_unique<asio_loop>(*core_);
    run(*asio_);
  } catch (...) {
    report_failure({std::current_exception(), std::source_location::current()});
  }
}

// Why no interrupt() is lost: it is an edge of our epoll set, and who takes that edge out of the
// set notes it down.
//   R1. A wait ends early when an interrupt was noted by a poll() before it, or by its own first
//   look. R2. An interrupt after that look wakes the wait itself, be it in our set or in Asio's,
//   which
//       watches ours.
//   R3. What is noted at the end was for this wait. So one interrupt ends one wait, or two.
void reactor::wait(std::optional<time_point> until) {
  core_->free_retired();
  detail::poller& events = core_->events();
  if (events.take_interrupt()) until = time_point::min();  // R1
  if (!core_->context_in_use()) {
    events.wait(until);
  } else {
    // What is there already goes first: its tasks must not wait for Asio, nor Asio for ever.
    bool fired = events.poll() > 0;
    bool may_block = !fired && !events.take_interrupt() && until != time_point::min();
    if (may_block) {
      run_handlers([until](asio_loop& context) { context.wait(until); });
    } else if (!fired || ++rounds_ % 16 == 0) {
      run_handlers([](asio_loop& context) { context.poll(); });
    }
  }
  (void)events.take_interrupt();  // R3
}

void reactor::poll(std::size_t most) {
  core_->free_retired();
  core_->events().poll(most);
  if (core_->context_in_use()) run_handlers([](asio_loop& context) { context.poll(); });
}

void reactor::interrupt() noexcept { core_->events().interrupt(); }

int reactor::descriptor() const noexcept { return core_->events().fd(); }

void reactor::stop_intake() noexcept { core_->stop_intake(); }

reactor& reactor::current(std::source_location where) {
  scheduler* here = scheduler::current();
  if (here == nullptr) {
    misuse(
        "a net function was called outside a runtime: call it from a task, or start one with "
        "troupe::run(main) [I15]",
        where);
  }
  auto* found = dynamic_cast<reactor*>(&here->io());
  if (found == nullptr) {
    misuse(
        "a net function was called in a runtime without a network: leave runtime_config::network "
        "true, or build its scheduler with net::reactor as the driver [I16]",
        where);
  }
  return *found;
}

}  // namespace troupe::inline v0_1::net
