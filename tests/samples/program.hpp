#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <optional>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

namespace samples {

/// How long a test waits for what a program has to do. Far above what it takes.
inline constexpr std::chrono::seconds patience{10};

inline bool matches(const std::string& text, const char* pattern) {
  return std::regex_match(text, std::regex{pattern});
}

/// Returns: what a program has written to stderr, without what it says of a machine that is busy:
/// to start a process holds up a worker.
inline std::string without_stalls(const std::string& errors) {
  return std::regex_replace(errors, std::regex{"troupe: worker \\d+ is held up for [^\n]*\n"}, "");
}

/// A program and its arguments.
struct command {
  std::vector<std::string> words;
};

/// Returns: how the sample `name` is started, or the program at that path.
inline command command_of(const std::string& name, std::vector<std::string> arguments = {}) {
  arguments.insert(arguments.begin(), name.starts_with('/') ? name : TROUPE_SAMPLES_DIR "/" + name);
  return {std::move(arguments)};
}

/// A process whose output is read line by line. Ends with this object, by force if it must.
class program {
public:
  /// Starts the sample `name`, or the program at that path.
  explicit program(const std::string& name, std::vector<std::string> arguments = {})
      : program{command_of(name, std::move(arguments))} {}
  /// Starts any command.
  explicit program(command given) {
    std::vector<char*> words;
    for (auto& each : given.words) words.push_back(each.data());
    words.push_back(nullptr);
    std::array<int, 2> out{}, err{};
    BOOST_REQUIRE(::pipe2(out.data(), O_CLOEXEC) == 0 && ::pipe2(err.data(), O_CLOEXEC) == 0);
    pid_ = ::fork();
    BOOST_REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      ::dup2(out[1], STDOUT_FILENO);
      ::dup2(err[1], STDERR_FILENO);
      ::execvp(words[0], words.data());
      ::perror(words[0]);
      ::_exit(127);
    }
    ::close(out[1]);
    ::close(err[1]);
    output_.fd = out[0];
    errors_.fd = err[0];
  }

  program(const program&) = delete;
  program& operator=(const program&) = delete;
  ~program() {
    if (!code_) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    ::close(output_.fd);
    ::close(errors_.fd);
  }

  /// Returns: the next line on stdout; nothing when the program has closed it.
  std::optional<std::string> next_line() {
    auto deadline = clock::now() + patience;
    for (;;) {
      if (auto end = output_.text.find('\n'); end != std::string::npos) {
        std::string line = output_.text.substr(0, end);
        output_.text.erase(0, end + 1);
        return line;
      }
      if (output_.ended) {
        if (output_.text.empty()) return std::nullopt;
        return std::exchange(output_.text, {});
      }
      read_more(deadline);
    }
  }

  /// Returns: the lines on stdout from here to its end.
  std::vector<std::string> lines() {
    std::vector<std::string> all;
    while (auto line = next_line()) all.push_back(*line);
    return all;
  }

  /// Returns: all that the program has written to stderr.
  std::string error_text() {
    auto deadline = clock::now() + patience;
    while (!errors_.ended) read_more(deadline);
    return errors_.text;
  }

  /// Waits for the end. Returns: the exit code, or 128 and the number of the signal that killed it.
  int exit_code() {
    auto deadline = clock::now() + patience;
    while (!output_.ended || !errors_.ended) read_more(deadline);
    if (!code_) {
      int status = 0;
      BOOST_REQUIRE(::waitpid(pid_, &status, 0) == pid_);
      code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    return *code_;
  }

  [[nodiscard]] pid_t id() const noexcept { return pid_; }

  void send_signal(int signal) { BOOST_REQUIRE(::kill(pid_, signal) == 0); }

  /// Stops the process where it is; what its sockets receive meanwhile waits. send_signal(SIGCONT)
  /// lets it go on.
  void pause() {
    send_signal(SIGSTOP);
    int status = 0;
    BOOST_REQUIRE(::waitpid(pid_, &status, WUNTRACED) == pid_);
    BOOST_REQUIRE(WIFSTOPPED(status));
  }

  /// Changes how many descriptors the process may have. Returns: how many it was.
  rlim_t limit_descriptors(rlim_t count) {
    rlimit former{};
    BOOST_REQUIRE(::prlimit(pid_, RLIMIT_NOFILE, nullptr, &former) == 0);
    rlimit wanted{count, former.rlim_max};
    BOOST_REQUIRE(::prlimit(pid_, RLIMIT_NOFILE, &wanted, nullptr) == 0);
    return former.rlim_cur;
  }

private:
  using clock = std::chrono::steady_clock;

  struct channel {
    int fd = -1;
    std::string text;
    bool ended = false;
  };

  // Waits until one of the two brings something, and takes it.
  void read_more(clock::time_point deadline) {
    std::array<pollfd, 2> waited{pollfd{output_.ended ? -1 : output_.fd, POLLIN, 0},
                                 pollfd{errors_.ended ? -1 : errors_.fd, POLLIN, 0}};
    auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock::now());
    int ready = ::poll(waited.data(), waited.size(), std::max(0, static_cast<int>(left.count())));
    BOOST_REQUIRE_MESSAGE(ready > 0, "the program neither wrote a line nor ended in time; stdout: '"
                                         << output_.text << "', stderr: '" << errors_.text << "'");
    if (waited[0].revents != 0) read_from(output_);
    if (waited[1].revents != 0) read_from(errors_);
  }

  static void read_from(channel& source) {
    std::array<char, 4096> buffer{};
    ssize_t count = ::read(source.fd, buffer.data(), buffer.size());
    if (count <= 0) source.ended = true;
    if (count > 0) source.text.append(buffer.data(), static_cast<std::size_t>(count));
  }

  pid_t pid_ = -1;
  channel output_;
  channel errors_;
  std::optional<int> code_;
};

}  // namespace samples
