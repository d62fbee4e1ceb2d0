#include <troupe/net/process.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <troupe/base/assert.hpp>
#include <troupe/net/detail/child_watch.hpp>
#include <troupe/net/detail/owned_fd.hpp>
#include <troupe/net/detail/pipe_stream.hpp>
#include <troupe/net/reactor.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/task/when_all.hpp>

extern char** environ;

namespace troupe::inline v0_1::net {

namespace {

using detail::last_error;
using detail::owned_fd;

[[noreturn]] void fail(boost::system::error_code code, const std::vector<std::string>& argv,
                       const process_options& options) {
  std::string text = "cannot run " + argv.front();
  if (!options.folder.empty()) text += " in " + options.folder;
  throw system_error{code, text};
}

struct pipe_ends {
  owned_fd ours;
  owned_fd of_child;
};

// The child's end lies above the standard streams, so that to put one in its place loses no other.
result<pipe_ends> make_pipe(bool child_reads) noexcept {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return last_error();
  owned_fd reading{ends[0]}, writing{ends[1]};
  pipe_ends made;
  made.ours = std::move(child_reads ? writing : reading);
  made.of_child = std::move(child_reads ? reading : writing);
  if (made.of_child.get() <= STDERR_FILENO) {
    owned_fd higher{::fcntl(made.of_child.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1)};
    if (higher.get() < 0) return last_error();
    made.of_child = std::move(higher);
  }
  if (::fcntl(made.ours.get(), F_SETFL, O_NONBLOCK) != 0) return last_error();
  return made;
}

/// What posix_spawn is told to do in the child, in this order.
class child_plan {
public:
  child_plan() {
    check(::posix_spawn_file_actions_init(&actions_));
    int failed = ::posix_spawnattr_init(&attributes_);
    if (failed == 0) return;
    ::posix_spawn_file_actions_destroy(&actions_);
    check(failed);
  }
  ~child_plan() {
    ::posix_spawnattr_destroy(&attributes_);
    ::posix_spawn_file_actions_destroy(&actions_);
  }
  child_plan(const child_plan&) = delete;
  child_plan& operator=(const child_plan&) = delete;

  void put(int fd, int in_place_of) {
    check(::posix_spawn_file_actions_adddup2(&actions_, fd, in_place_of));
  }
  void put_null(int in_place_of) {
    check(::posix_spawn_file_actions_addopen(&actions_, in_place_of, "/dev/null", O_RDWR, 0));
  }
  void work_in(const std::string& folder) {
    check(::posix_spawn_file_actions_addchdir_np(&actions_, folder.c_str()));
  }

  /// Returns: the child's number. Errors: that of what failed in the child, exec included.
  result<pid_t> start(char* const* argv, char* const* environment) {
    // Also those that another library has opened without O_CLOEXEC.
    check(::posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1));
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    check(::posix_spawnattr_setsigmask(&attributes_, &none));
    check(::posix_spawnattr_setsigdefault(&attributes_, &all));
    check(::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
    pid_t child = 0;
    int failed = ::posix_spawnp(&child, argv[0], &actions_, &attributes_, argv, environment);
    if (failed != 0) return last_error(failed);
    return child;
  }

private:
  static void check(int failed) {
    if (failed != 0) throw_error(last_error(failed));
  }

  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

// As exec wants them: pointers to each, and a null. Valid as long as `texts`.
std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (const auto& each : texts) {
    if (each.find('\0') != each.npos) {
      throw_error(make_error_code(boost::system::errc::invalid_argument));
    }
    all.push_back(const_cast<char*>(each.c_str()));
  }
  all.push_back(nullptr);
  return all;
}

// The input of a program that has had enough of it ends early: that is no failure of ours.
task<> feed(io::stream& to, const std::string& input) {
  try {
    co_await to.write_all(input);
  } catch (const system_error& error) {
    if (error.code() != boost::system::errc::broken_pipe) throw;
  }
  to.close();
}

task<exit_status> end_in_time(detail::child_watch& watch, duration grace) {
  watch.kill(SIGTERM);
  detail::exit_operation ending{watch};
  auto ended = co_await timeout(grace, std::move(ending)).as_result();
  if (ended.has_value()) co_return *ended;
  if (ended.error() != errc::timed_out) throw_error(ended.error());
  watch.kill(SIGKILL);
  detail::exit_operation end{watch};
  co_return co_await end;
}

}  // namespace

namespace detail {

void child_watch_closer::operator()(child_watch* watch) const noexcept { watch->close(); }

void exit_operation::start() const {
  if (watch_->is_waited_for()) {
    misuse("two tasks wait for one process at once: let one wait and tell the other [I11]");
  }
}

bool exit_operation::poll() noexcept {
  outcome_ = watch_->try_wait();
  return outcome_.has_value();
}

bool exit_operation::enlist(waker key) noexcept { return count_.begin(watch_->enlist(key)); }

void exit_operation::delist() noexcept {
  if (count_.end()) watch_->delist();
}

}  // namespace detail

std::string exit_status::text() const {
  if (!by_signal_) return "exit code " + std::to_string(value_);
  const char* known = ::sigdescr_np(value_);
  std::string text = "ended by signal " + std::to_string(value_);
  return known == nullptr ? text : text + " (" + known + ")";
}

process spawn_process(const std::vector<std::string>& argv, const process_options& options) {
  reactor& here = reactor::current();
  if (argv.empty()) misuse("spawn_process() was given no program: argv begins with its name [I12]");
  process made;
  try {
    std::array<stdio, 3> kinds{options.in, options.out, options.err};
    std::array<std::optional<io::stream>*, 3> streams{&made.in_, &made.out_, &made.err_};
    std::array<owned_fd, 3> of_child;
    child_plan plan;
    for (int i = 0; i < 3; ++i) {
      auto at = static_cast<std::size_t>(i);
      if (kinds[at] == stdio::null) plan.put_null(i);
      if (kinds[at] != stdio::pipe) continue;
      pipe_ends ends = make_pipe(i == STDIN_FILENO).value();
      auto& device = detail::pipe_stream::make(here.core(), ends.ours.release());
      streams[at]->emplace(io::stream_device_ptr{&device});
      of_child[at] = std::move(ends.of_child);
      plan.put(of_child[at].get(), i);
    }
    if (!options.folder.empty()) plan.work_in(options.folder);
    std::vector<char*> arguments = pointers_to(argv), environment;
    if (options.environment) environment = pointers_to(*options.environment);
    pid_t child =
        plan.start(arguments.data(), options.environment ? environment.data() : environ).value();
    made.watch_.reset(&detail::child_watch::make(here.core(), child));
  } catch (const system_error& error) {
    fail(error.code(), argv, options);
  }
  return made;
}

detail::exit_operation process::wait() { return detail::exit_operation{watch()}; }

std::optional<exit_status> process::status() const { return watch().status(); }

bool process::kill(int signal) noexcept { return watch_ != nullptr && watch_->kill(signal); }

task<exit_status> process::terminate(duration grace) { return end_in_time(watch(), grace); }

pid_t process::id() const { return watch().id(); }

io::stream& process::pipe_of(std::optional<io::stream>& pipe) {
  if (!pipe) misuse("this stream of a process is no pipe: say so in its process_options [I13]");
  return *pipe;
}

detail::child_watch& process::watch() const {
  if (!watch_)
    misuse("a process was used after it was moved from: use the one that has it now [I14]");
  return *watch_;
}

task<process_output> run_process(std::vector<std::string> argv, run_process_options options) {
  process_options how = std::move(options.process);
  how.in = options.input.empty() ? stdio::null : stdio::pipe;
  how.out = how.err = stdio::pipe;
  process child = spawn_process(argv, how);
  task<std::string> out = child.out().read_to_end(options.max_out_bytes);
  task<std::string> err = child.err().read_to_end(options.max_err_bytes);
  process_output seen;
  if (options.input.empty()) {
    auto both = co_await when_all(std::move(out), std::move(err));
    seen.out = std::move(std::get<0>(both));
    seen.err = std::move(std::get<1>(both));
  } else {
    task<> feeding = feed(child.in(), options.input);
    auto all = co_await when_all(std::move(feeding), std::move(out), std::move(err));
    seen.out = std::move(std::get<1>(all));
    seen.err = std::move(std::get<2>(all));
  }
  seen.status = co_await child.wait();
  co_return seen;
}

}  // namespace troupe::inline v0_1::net
