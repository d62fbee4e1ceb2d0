#include <troupe/runtime/run.hpp>

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include <troupe/actor/all_actors.hpp>
#include <troupe/base/log.hpp>
#include <troupe/runtime/detail/signals.hpp>
#include <troupe/runtime/detail/state.hpp>
#include <troupe/sched/blocking_pool.hpp>
#include <troupe/task/failure.hpp>

namespace troupe::inline v0_1 {

namespace {

/// What a thread waits for with poll(2), and others write to.
class wake_descriptor {
public:
  wake_descriptor() : fd_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {
    if (fd_ < 0) throw std::system_error{errno, std::generic_category(), "eventfd"};
  }
  ~wake_descriptor() { ::close(fd_); }
  wake_descriptor(const wake_descriptor&) = delete;
  wake_descriptor& operator=(const wake_descriptor&) = delete;

  [[nodiscard]] int get() const noexcept { return fd_; }

private:
  int fd_;
};

}  // namespace

/// One run() from start to exit code. The calling thread waits in poll(2) for what happens: the
/// runtime has become quiescent, or a signal has come.
class main_run final : public detail::task_owner {
public:
  explicit main_run(const runtime_config& config)
      : config_{config}, rt_{config, runtime::whole_program{}} {
    if (config.handle_signals) signals_.emplace(wake_.get());
  }

  int run(const std::function<task<int>()>& program);

  void on_child_start(detail::task_core& main) noexcept override { main_ = &main; }
  void on_child_end(detail::task_core& main) noexcept override;

private:
  enum class event { quiescent, main_ended, signal, timed_out };

  void wake() noexcept;
  void write_dump() const;
  event wait(std::optional<time_point> until, event wanted = event::quiescent);
  event wait_for_end(std::optional<time_point> until);
  int stop_gracefully();
  int end_stuck();
  int finish(int code);

  const runtime_config& config_;
  wake_descriptor wake_;
  std::optional<detail::stop_signals> signals_;
  std::size_t live_ = 0;  // Tasks left at quiescence.
  pal::atomic<bool> main_ended_{false};
  bool signal_taken_ = false;
  pal::mutex main_mutex_;
  detail::task_core* main_ = nullptr;  // Null once main has ended.
  int code_ = 0;
  runtime rt_;  // Last: its end comes first, while the rest is still there.
};

void main_run::on_child_end(detail::task_core& main) noexcept {
  code_ = detail::exit_code_of(main);
  {
    pal::lock guard{main_mutex_};
    main.destroy();
    main_ = nullptr;
  }
  main_ended_.store(true, std::memory_order_release);
  wake();
}

void main_run::wake() noexcept {
  std::uint64_t one = 1;
  // It fails only when the counter is full, and then the thread has been told.
  if (::write(wake_.get(), &one, sizeof one) < 0) return;
}

void main_run::write_dump() const {
  std::istringstream text{rt_.dump()};
  for (std::string line; std::getline(text, line);) log(log_level::warning, line);
}

main_run::event main_run::wait(std::optional<time_point> until, event wanted) {
  for (;;) {
    if (signals_ && detail::take_dump_signal()) write_dump();
    if (!signal_taken_ && signals_ && detail::stop_signal_count() > 0) {
      signal_taken_ = true;
      return event::signal;
    }
    if (wanted == event::main_ended && main_ended_.load(std::memory_order_acquire)) return wanted;
    // A report may be old when it is heard: what counts is whether it is so now.
    if (auto live = rt_.scheduler().tasks_if_quiescent()) {
      live_ = *live;
      return event::quiescent;
    }
    int wait_ms = -1;
    if (until) {
      auto left = *until - pal::real_clock().now();
      if (left <= duration::zero()) return event::timed_out;
      using whole = std::chrono::milliseconds;
      wait_ms = static_cast<int>(std::min<long>(std::chrono::ceil<whole>(left).count(), 60'000));
    }
    pollfd waited{wake_.get(), POLLIN, 0};
    if (::poll(&waited, 1, wait_ms) > 0) {
      std::uint64_t count = 0;
      if (::read(wake_.get(), &count, sizeof count) < 0 && errno != EAGAIN) return event::timed_out;
    }
  }
}

// The same, where quiescent means that no actor is left either: those that are only idle are
// stopped when all tasks have ended.
main_run::event main_run::wait_for_end(std::optional<time_point> until) {
  event seen = wait(until);
  while (seen == event::quiescent && live_ == 0 && stop_all_actors(rt_.scheduler()) > 0) {
    seen = wait(until);
  }
  return seen;
}

int main_run::run(const std::function<task<int>()>& program) {
  rt_.state_->on_quiescent([this] { wake(); });
  rt_.scheduler().add_guard();
  detail::start_on(rt_.scheduler(), this, std::source_location::current(), program());
  rt_.scheduler().remove_guard();
  if (wait_for_end(std::nullopt) == event::signal) return stop_gracefully();
  if (main_ended_.load(std::memory_order_acquire) && live_ == 0) return finish(code_);
  return end_stuck();
}

int main_run::end_stuck() {
  log(log_level::error, "the program is stuck: nothing can wake the tasks that are left");
  for (const auto& report : rt_.tasks()) log(log_level::error, "  " + to_string(report));
  return finish(1);
}

// First main alone, with no new connections; when it has ended, the actors, while tasks go on; when
// that does not end it, or at four fifths of the budget, all tasks; at its end the survivors are
// listed.
int main_run::stop_gracefully() {
  time_point deadline = pal::real_clock().now() + config_.shutdown_budget;
  rt_.state_->stop_intake();
  {
    pal::lock guard{main_mutex_};
    if (main_ != nullptr) main_->request_stop_on(rt_.scheduler());
  }
  time_point patience = deadline - config_.shutdown_budget / 5;
  event seen = wait(patience, event::main_ended);
  if (main_ended_.load(std::memory_order_acquire)) {
    (void)stop_all_actors(rt_.scheduler());
    seen = wait_for_end(patience);
  }
  if (seen != event::quiescent || live_ != 0) {
    rt_.state_->cancel_all();
    (void)stop_all_actors(rt_.scheduler());
    seen = wait_for_end(deadline);
  }
  if (seen == event::quiescent && live_ == 0) return finish(code_);
  auto survivors = survivors_of(rt_.scheduler());
  log(log_level::error, fmt::format("{} task{} survived the stop:", survivors.size(),
                                    survivors.size() == 1 ? "" : "s"));
  for (const auto& report : survivors) log(log_level::error, "  " + to_string(report));
  return finish(1);
}

int main_run::finish(int code) {
  if (!rt_.state_->stop_now(std::chrono::milliseconds{100})) {
    log(log_level::error, "a task did not give its worker back: ending the process");
    std::fflush(nullptr);
    std::_Exit(code == 0 ? 1 : code);
  }
  if (std::size_t blocking = rt_.scheduler().blocking().pending(); blocking != 0) {
    // It cannot be interrupted, and waiting for it would have no end.
    log(log_level::error,
        fmt::format("{} pieces of blocking work did not end: ending the process", blocking));
    std::fflush(nullptr);
    std::_Exit(code == 0 ? 1 : code);
  }
  // It has an owner, this object, so the runtime has left it alone.
  if (main_ != nullptr) std::exchange(main_, nullptr)->destroy();
  return code;
}

namespace detail {

int exit_code_of(task_core& main) noexcept {
  if (auto error = main.exception()) {
    log(log_level::error, fmt::format("main ended with an exception: {}", describe(error)));
    return 1;
  }
  return main.any_exception() == nullptr ? take_outcome<int>(main) : 0;  // Else it was canceled.
}

int run_program(const runtime_config& config, std::function<task<int>()> program) {
  if (current_context() != nullptr) {
    misuse("run() was called inside a task: spawn() or co_await the other task instead [R01]");
  }
  try {
    runtime_config settled = resolve(config);
    if (settled.caller_driven) {
      throw std::invalid_argument{
          "runtime_config: caller_driven is for a runtime object, whose poll() the host calls"};
    }
    main_run whole{settled};
    return whole.run(program);
  } catch (const std::exception& error) {
    log(log_level::error, fmt::format("the runtime could not start: {}", error.what()));
    return 1;
  }
}

}  // namespace detail
}  // namespace troupe::inline v0_1
