#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <boost/test/unit_test.hpp>

#include <samples/program.hpp>

namespace service {

/// A blocking TCP client on 127.0.0.1 that reads lines, without anything of troupe.
class line_peer {
public:
  explicit line_peer(std::uint16_t port) : fd_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    timeval limit{samples::patience.count(), 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    BOOST_REQUIRE(::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
  }
  line_peer(line_peer&& other) noexcept
      : fd_{std::exchange(other.fd_, -1)}, held_{std::move(other.held_)} {}
  line_peer& operator=(line_peer&&) = delete;
  ~line_peer() {
    if (fd_ >= 0) ::close(fd_);
  }

  /// Returns: the next line without its end; nothing when the other end has closed, or broken off.
  std::optional<std::string> next_line() {
    for (;;) {
      if (auto end = held_.find('\n'); end != std::string::npos) {
        std::string line = held_.substr(0, end);
        held_.erase(0, end + 1);
        return line;
      }
      if (!receive()) return std::nullopt;
    }
  }

  /// Sends one request. Returns: its answer.
  std::string ask(std::string_view request) {
    write_all(std::string{request} + '\n');
    auto answer = next_line();
    BOOST_REQUIRE_MESSAGE(answer, "the service closed instead of answering " << request);
    return *answer;
  }

  void write_all(std::string_view text) { BOOST_REQUIRE(write_until_refused(text) == text.size()); }

  /// Sends until the other end breaks off. Returns: how many bytes were sent.
  std::size_t write_until_refused(std::string_view text) {
    std::size_t sent = 0;
    while (sent < text.size()) {
      ssize_t count = ::send(fd_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (count < 0) {
        BOOST_REQUIRE_MESSAGE(errno == EPIPE || errno == ECONNRESET, "send: errno " << errno);
        break;
      }
      sent += static_cast<std::size_t>(count);
    }
    return sent;
  }

  /// Sends `text` again and again until the buffers of both ends are full, and stay so for a while.
  void write_until_blocked(std::string_view text) {
    pollfd waited{fd_, POLLOUT, 0};
    while (::poll(&waited, 1, 200) > 0) {
      ssize_t count = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      BOOST_REQUIRE(count > 0 || errno == EAGAIN);
      if (count > 0 && static_cast<std::size_t>(count) < text.size()) return;
    }
  }

  /// Sends `text`, and takes `answer_bytes` at the same time. Returns: whether all of it came.
  bool exchange_all(std::string_view text, std::size_t answer_bytes) {
    std::array<char, 65536> buffer{};
    std::size_t got = held_.size();
    held_.clear();
    while (!text.empty() || got < answer_bytes) {
      pollfd waited{fd_, static_cast<short>(POLLIN | (text.empty() ? 0 : POLLOUT)), 0};
      if (::poll(&waited, 1, 1000 * static_cast<int>(samples::patience.count())) <= 0) return false;
      if ((waited.revents & POLLOUT) != 0) {
        ssize_t count = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
        if (count < 0 && errno != EAGAIN) return false;
      }
      if ((waited.revents & ~POLLOUT) != 0) {
        ssize_t count = ::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (count == 0 || (count < 0 && errno != EAGAIN)) return false;
        if (count > 0) got += static_cast<std::size_t>(count);
      }
    }
    return got == answer_bytes;
  }

  [[nodiscard]] int fd() const noexcept { return fd_; }

  /// Ends the sending direction.
  void half_close() { BOOST_REQUIRE(::shutdown(fd_, SHUT_WR) == 0); }

  /// Breaks the connection off (RST instead of FIN).
  void reset() {
    linger at_once{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(std::exchange(fd_, -1));
  }

private:
  bool receive() {
    std::array<char, 4096> buffer{};
    ssize_t count = ::recv(fd_, buffer.data(), buffer.size(), 0);
    BOOST_REQUIRE_MESSAGE(count >= 0 || errno == ECONNRESET, "recv: errno " << errno);
    if (count <= 0) return false;
    held_.append(buffer.data(), static_cast<std::size_t>(count));
    return true;
  }

  int fd_;
  std::string held_;
};

}  // namespace service
