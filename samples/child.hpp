#pragma once

#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include <troupe/io/framing.hpp>
#include <troupe/net/process.hpp>
#include <troupe/sync/mpsc.hpp>
#include <troupe/task/spawn.hpp>

namespace samples {

/// This program once more, as a process that plays a part of its own. What it prints is printed
/// here, line by line, with its name before it. The process ends with this object, by SIGKILL.
class child {
public:
  /// Starts it. The arguments are these and `--parent PID`, for be_part_of().
  child(std::string name, std::vector<std::string> arguments)
      : child{std::move(name), start(std::move(arguments)), troupe::mpsc_unbounded<std::string>()} {
  }
  child(child&&) noexcept = default;
  child& operator=(child&& other) noexcept {
    std::swap(of_, other.of_);
    std::swap(lines_, other.lines_);
    return *this;
  }
  ~child() {
    if (of_ != nullptr) of_->process.kill(SIGKILL);
  }

  /// Waits for a line that begins so, and passes over others. Returns: what comes after that.
  /// Errors: runtime_error when the process ends without it.
  troupe::task<std::string> line(std::string beginning) {
    while (auto next = co_await lines_.recv()) {
      if (next->starts_with(beginning)) co_return next->substr(beginning.size());
    }
    throw std::runtime_error{fmt::format("{} has ended without a line '{}'", of_->name, beginning)};
  }

  [[nodiscard]] pid_t id() const { return of_->process.id(); }

  /// Waits until it has ended by itself, and all its lines are printed.
  /// Errors: runtime_error when it does not end in order.
  troupe::task<> end() { return check(wait_end()); }
  /// Asks it to end (SIGTERM), and waits for that. Errors: the same.
  troupe::task<> stop() { return check(of_->process.terminate()); }
  /// Kills it (SIGKILL), and waits until it is no more.
  troupe::task<> kill() {
    of_->process.kill(SIGKILL);
    (void)co_await of_->process.wait();
  }

private:
  struct parts {
    std::string name;
    troupe::net::process process;
  };

  child(std::string name, troupe::net::process process, troupe::channel_ends<std::string> ends)
      : of_{std::make_shared<parts>(parts{std::move(name), std::move(process)})},
        lines_{std::move(ends.rx)} {
    troupe::spawn(print_lines, of_, std::move(ends.tx)).detach();
  }

  static troupe::net::process start(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "/proc/self/exe");
    arguments.insert(arguments.end(), {"--parent", std::to_string(::getpid())});
    troupe::net::process_options options;
    options.in = troupe::net::stdio::null;
    options.out = troupe::net::stdio::pipe;
    return troupe::net::spawn_process(arguments, options);
  }

  static troupe::task<> print_lines(std::shared_ptr<parts> of, troupe::sender<std::string> to) {
    troupe::io::line_reader lines{of->process.out()};
    while (auto line = co_await lines.next_line()) {
      fmt::print("{}: {}\n", of->name, *line);
      (void)to.try_send(std::move(*line));  // Nobody may listen any more.
    }
  }

  troupe::task<troupe::net::exit_status> wait_end() {
    troupe::net::exit_status status = co_await of_->process.wait();
    co_return status;
  }
  troupe::task<> check(troupe::task<troupe::net::exit_status> ending) {
    troupe::net::exit_status status = co_await std::move(ending);
    while (co_await lines_.recv()) {
    }
    if (!status.is_success()) {
      throw std::runtime_error{fmt::format("{} has ended with {}", of_->name, status.text())};
    }
  }

  std::shared_ptr<parts> of_;
  troupe::receiver<std::string> lines_;
};

/// What such a process does first: it ends when the process `parent` does, however that ends, and
/// leaves Ctrl-C to it. Without a parent, 0, it is on its own.
inline void be_part_of(pid_t parent) {
  if (parent == 0) return;
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) std::_Exit(1);  // It ended before.
}

}  // namespace samples
