#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include <troupe/io/stream.hpp>
#include <troupe/io/wait_count.hpp>
#include <troupe/pal/clock.hpp>
#include <troupe/task/operation.hpp>
#include <troupe/task/task.hpp>

namespace troupe::inline v0_1::net {

/// How a process has ended.
class exit_status {
public:
  /// Exit code 0.
  constexpr exit_status() noexcept {}
  static constexpr exit_status exited(int code) noexcept { return exit_status{code, false}; }
  static constexpr exit_status killed(int signal) noexcept { return exit_status{signal, true}; }

  /// Returns: whether it ended by itself, with exit code 0.
  [[nodiscard]] constexpr bool is_success() const noexcept { return !by_signal_ && value_ == 0; }
  /// Returns: its exit code; nothing when a signal has ended it.
  [[nodiscard]] std::optional<int> code() const noexcept {
    return by_signal_ ? std::nullopt : std::optional<int>{value_};
  }
  /// Returns: the signal that has ended it; nothing when it ended by itself.
  [[nodiscard]] std::optional<int> signal() const noexcept {
    return by_signal_ ? std::optional<int>{value_} : std::nullopt;
  }
  /// Returns: `exit code 1` or `ended by signal 9 (Killed)`.
  [[nodiscard]] std::string text() const;

  friend bool operator==(const exit_status&, const exit_status&) = default;

private:
  constexpr exit_status(int value, bool by_signal) noexcept
      : value_{value}, by_signal_{by_signal} {}

  int value_ = 0;
  bool by_signal_ = false;
};

namespace detail {

class child_watch;
struct child_watch_closer {
  void operator()(child_watch* watch) const noexcept;
};

/// The end of a child process.
class exit_operation final : public troupe::detail::fallible_operation<exit_operation> {
public:
  static constexpr const char* name = "the end of a process";

  explicit exit_operation(child_watch& watch) noexcept : watch_{&watch} {}

  void start() const;
  bool poll() noexcept;
  bool enlist(waker key) noexcept;
  void delist() noexcept;
  result<exit_status> take() { return *outcome_; }

private:
  child_watch* watch_;
  std::optional<result<exit_status>> outcome_;
  io::wait_count count_;
};

}  // namespace detail

/// What a standard stream of a child is.
enum class stdio {
  inherit,  ///< Ours.
  null,     ///< /dev/null.
  pipe,     ///< An io::stream of the process object.
};

/// How a child process is started. No aggregate, so that it may stand inside a co_await expression.
struct process_options {
  process_options() noexcept {}

  /// All of its environment, each as `NAME=value`; without it, ours.
  std::optional<std::vector<std::string>> environment;
  std::string folder;  ///< Where it works; empty: where we do.
  stdio in = stdio::inherit;
  stdio out = stdio::inherit;
  stdio err = stdio::inherit;
};

/// A child process. Move-only.
///
/// Its end: a process that still runs when its object goes is killed (SIGKILL) and reaped in the
/// background, by a thread of the blocking pool; no zombie is left and no worker waits. To let it
/// end by itself, await wait() or terminate().
///
/// The child gets the three standard streams and no other descriptor of ours, no blocked and no
/// ignored signals. No handler of SIGCHLD is needed or set; the program must not ignore SIGCHLD,
/// nor wait for children that it did not start itself.
///
/// Threads: one task waits at a time; kill() may be called by others meanwhile.
/// Bounds:  one descriptor, and one for each pipe.
/// Example:
///     net::process_options quiet;
///     quiet.out = net::stdio::pipe;
///     net::process lister = net::spawn_process({"ls", "-l"}, quiet);
///     std::string names = co_await lister.out().read_to_end(1'000'000);
///     net::exit_status status = co_await lister.wait();
class process {
public:
  /// Waits until it has ended; as often as one likes. Its pipes may still hold what it has written,
  /// and one that nobody reads from keeps it from ending when it is full.
  /// Errors: ECHILD when somebody else has taken its status.
  /// Cancel: nothing is lost, and the process goes on.
  [[nodiscard]] detail::exit_operation wait();

  /// Returns: its status, when it is known that it has ended: wait() has returned it.
  [[nodiscard]] std::optional<exit_status> status() const;

  /// Sends it a signal. Returns: false when it has ended.
  bool kill(int signal) noexcept;

  /// Asks it to end (SIGTERM), kills it when it has not done so after `grace`, and waits for its
  /// end. Cancel: the process goes on, asked to end.
  [[nodiscard]] task<exit_status> terminate(duration grace = std::chrono::seconds{5});

  [[nodiscard]] pid_t id() const;

  /// The other end of its standard streams. close() of in() is its end of input.
  /// Requires: options said stdio::pipe; else a misuse.
  [[nodiscard]] io::stream& in() { return pipe_of(in_); }
  [[nodiscard]] io::stream& out() { return pipe_of(out_); }
  [[nodiscard]] io::stream& err() { return pipe_of(err_); }

private:
  friend process spawn_process(const std::vector<std::string>&, const process_options&);
  process() noexcept = default;

  [[nodiscard]] static io::stream& pipe_of(std::optional<io::stream>& pipe);
  [[nodiscard]] detail::child_watch& watch() const;

  std::unique_ptr<detail::child_watch, detail::child_watch_closer> watch_;
  std::optional<io::stream> in_, out_, err_;
};

/// Starts a program.
///
/// `argv` is its name and its arguments. A name without a slash is looked for in our PATH.
///
/// Errors:  system_error, whose text names the program: the one of exec, such as ENOENT or EACCES,
///          of the folder, or EMFILE. No arguments at all are a misuse, as is a call outside a
///          runtime.
/// Threads: workers. The call blocks until the program is loaded (posix_spawn), about a
///          millisecond.
[[nodiscard]] process spawn_process(const std::vector<std::string>& argv,
                                    const process_options& options = process_options{});

/// How run_process() runs a program.
struct run_process_options {
  run_process_options() noexcept {}

  process_options process;                ///< Its in, out and err do not count.
  std::string input;                      ///< What it reads; then its input ends.
  std::size_t max_out_bytes = 1'000'000;  ///< Of what it writes to standard output.
  std::size_t max_err_bytes = 1'000'000;  ///< Of what it writes to standard error.
};

/// What a program has come to.
struct process_output {
  exit_status status;
  std::string out;
  std::string err;
};

/// Runs a program to its end.
///
/// Errors: those of spawn_process(); errc::too_long when it writes more than it may: it is killed.
/// Cancel: it is killed.
/// Bounds: memory for its input and for what it writes. While a program that it has started holds
///         its output open, this goes on.
/// Example:
///     std::vector<std::string> command{"git", "status"};
///     net::process_output git = co_await net::run_process(command);
[[nodiscard]] task<process_output> run_process(std::vector<std::string> argv,
                                               run_process_options options = run_process_options{});

}  // namespace troupe::inline v0_1::net
