#include <troupe/net/detail/child_watch.hpp>

#include <cerrno>
#include <csignal>
#include <memory>
#include <utility>

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <troupe/net/detail/owned_fd.hpp>
#include <troupe/sched/blocking_pool.hpp>
#include <troupe/sched/scheduler.hpp>

namespace troupe::inline v0_1::net::detail {

namespace {

/// A killed child that waits to be reaped: at the latest by the end of this object.
class killed_child {
public:
  explicit killed_child(pid_t child) noexcept : child_{child} {}
  ~killed_child() { reap(); }
  killed_child(const killed_child&) = delete;
  killed_child& operator=(const killed_child&) = delete;

  void reap() noexcept {
    if (child_ == 0) return;
    while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
    }
    child_ = 0;
  }

private:
  pid_t child_;
};

// On a worker a thread of the pool waits for it. Elsewhere nobody is held up: a killed process ends
// within milliseconds.
void kill_and_reap(pid_t child) noexcept {
  ::kill(child, SIGKILL);
  if (::waitpid(child, nullptr, WNOHANG) != 0) return;
  scheduler* here = scheduler::current();
  try {
    auto killed = std::make_shared<killed_child>(child);
    if (here != nullptr) here->blocking().submit([killed] { killed->reap(); });
  } catch (...) {  // No thread: `killed` has waited itself.
    return;
  }
}

}  // namespace

child_watch& child_watch::make(std::shared_ptr<reactor_core> core, pid_t child) {
  try {
    owned_fd fd{static_cast<int>(::syscall(SYS_pidfd_open, child, 0))};
    if (fd.get() < 0) throw_error(last_error());
    return *new child_watch{std::move(core), fd.release(), child};
  } catch (...) {
    kill_and_reap(child);
    throw;
  }
}

io::attempt<exit_status> child_watch::try_wait() noexcept {
  if (ended_) return ended_;
  if (!slot_.take_ready()) return std::nullopt;
  siginfo_t seen{};
  int failed = ::waitid(P_PID, static_cast<id_t>(child_), &seen, WEXITED | WNOHANG);
  if (failed == 0 && seen.si_pid == 0) return std::nullopt;
  if (failed != 0) {
    ended_ = last_error();
  } else if (seen.si_code == CLD_EXITED) {
    ended_ = exit_status::exited(seen.si_status);
  } else {
    ended_ = exit_status::killed(seen.si_status);
  }
  return ended_;
}

std::optional<exit_status> child_watch::status() const noexcept {
  if (!ended_ || ended_->has_error()) return std::nullopt;
  return **ended_;
}

bool child_watch::kill(int signal) const noexcept {
  return ::syscall(SYS_pidfd_send_signal, fd(), signal, nullptr, 0) == 0;
}

void child_watch::close() noexcept {
  if (!ended_) kill_and_reap(child_);
  release();
}

}  // namespace troupe::inline v0_1::net::detail
