#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <boost/test/unit_test.hpp>

#include <samples/program.hpp>

namespace samples {

/// A blocking TCP client on 127.0.0.1, without anything of troupe.
class peer {
public:
  explicit peer(std::uint16_t port) : peer{} { BOOST_REQUIRE(connect_to(port)); }

  /// Returns: whether nobody listens at the port.
  static bool is_refused(std::uint16_t port) {
    peer trying;
    return !trying.connect_to(port) && errno == ECONNREFUSED;
  }

  peer(peer&& other) noexcept : fd_{std::exchange(other.fd_, -1)}, held_{std::move(other.held_)} {}
  ~peer() {
    if (fd_ >= 0) ::close(fd_);
  }

  /// Returns: what comes until the other end closes; fails when it does not close in order.
  std::string read_to_end() {
    std::string all = std::exchange(held_, {});
    std::array<char, 4096> buffer{};
    for (;;) {
      ssize_t count = ::recv(fd_, buffer.data(), buffer.size(), 0);
      BOOST_REQUIRE_MESSAGE(count >= 0, "the connection was not closed in order; got: " << all);
      if (count == 0) return all;
      all.append(buffer.data(), static_cast<std::size_t>(count));
    }
  }

  /// Returns: the next line, without its end.
  std::string read_line() {
    std::array<char, 4096> buffer{};
    std::size_t end = 0;
    while ((end = held_.find('\n')) == std::string::npos) {
      ssize_t count = ::recv(fd_, buffer.data(), buffer.size(), 0);
      BOOST_REQUIRE_MESSAGE(count > 0, "no whole line came; got: " << held_);
      held_.append(buffer.data(), static_cast<std::size_t>(count));
    }
    std::string line = held_.substr(0, end);
    held_.erase(0, end + 1);
    return line;
  }

  /// Returns: the next bytes, so many.
  std::string read_exactly(std::size_t size) {
    std::array<char, 4096> buffer{};
    while (held_.size() < size) {
      ssize_t count = ::recv(fd_, buffer.data(), buffer.size(), 0);
      BOOST_REQUIRE_MESSAGE(count > 0, "there are too few bytes; got: " << held_);
      held_.append(buffer.data(), static_cast<std::size_t>(count));
    }
    std::string bytes = held_.substr(0, size);
    held_.erase(0, size);
    return bytes;
  }

  /// Waits until there is something to read, and leaves it there.
  void wait_for_bytes() {
    char first = 0;
    BOOST_REQUIRE(::recv(fd_, &first, 1, MSG_PEEK) == 1);
  }

  void write_all(std::string_view text) {
    while (!text.empty()) {
      ssize_t count = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      BOOST_REQUIRE(count > 0);
      text.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  /// Writes, and does not mind when the other end has closed.
  void try_write(std::string_view text) { ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL); }

  /// The same. Returns: false when the other end has closed.
  bool try_write_all(std::string_view text) {
    while (!text.empty()) {
      ssize_t count = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }
  /// Returns: the next line, without its end, which is "\n" or "\r\n"; nothing when none comes.
  std::string try_read_line() {
    std::array<char, 4096> buffer{};
    std::size_t end = 0;
    while ((end = held_.find('\n')) == std::string::npos) {
      ssize_t count = ::recv(fd_, buffer.data(), buffer.size(), 0);
      if (count <= 0) return {};
      held_.append(buffer.data(), static_cast<std::size_t>(count));
    }
    std::string line = held_.substr(0, end);
    held_.erase(0, end + 1);
    if (line.ends_with('\r')) line.pop_back();
    return line;
  }

  /// Ends the sending direction.
  void shut_down() { BOOST_REQUIRE(::shutdown(fd_, SHUT_WR) == 0); }

  /// Ends the sending direction, and waits until the other end has taken note and closed.
  void finish() {
    shut_down();
    read_to_end();
  }

  /// Breaks the connection off (RST instead of FIN).
  void reset() {
    linger at_once{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(std::exchange(fd_, -1));
  }

private:
  peer() : fd_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    timeval limit{patience.count(), 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  }

  [[nodiscard]] bool connect_to(std::uint16_t port) const {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
  }

  int fd_;
  std::string held_;  // Read, of lines that were not asked for yet.
};

/// Returns: the port in the line `listening on 127.0.0.1:PORT`, which has to be the next one.
inline std::uint16_t port_of(program& server) {
  auto line = server.next_line();
  BOOST_REQUIRE(line);
  BOOST_REQUIRE_MESSAGE(matches(*line, R"(listening on 127\.0\.0\.1:\d+)"), "got: " << *line);
  return static_cast<std::uint16_t>(std::stoi(line->substr(line->rfind(':') + 1)));
}

}  // namespace samples
