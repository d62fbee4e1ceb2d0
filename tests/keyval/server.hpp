#pragma once

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <samples/peer.hpp>
#include <samples/program.hpp>

namespace keyval {

using samples::peer;
using samples::program;
using request = std::vector<std::string>;

/// A request as it is sent.
inline std::string sent(const request& what) {
  std::string bytes = "*" + std::to_string(what.size()) + "\r\n";
  for (const auto& each : what) {
    bytes += "$" + std::to_string(each.size()) + "\r\n" + each + "\r\n";
  }
  return bytes;
}

/// A client that sends requests and reads their answers, byte for byte.
class client {
public:
  explicit client(std::uint16_t port) : to_{port} {}

  std::string ask(const request& what) {
    to_.write_all(sent(what));
    return answer();
  }
  void send(std::string_view bytes) { to_.write_all(bytes); }

  /// Returns: the next answer, as it came.
  std::string answer() {
    std::string line = to_.read_line();
    std::string all = line + "\n";
    if (line.empty()) return all;
    bool is_counted = std::string_view{"$*~>%"}.find(line[0]) != std::string_view::npos;
    if (!is_counted) return all;
    int count = std::stoi(line.substr(1));
    if (line[0] == '$') {
      if (count >= 0) all += to_.read_exactly(static_cast<std::size_t>(count) + 2);
      return all;
    }
    if (line[0] == '%') count *= 2;
    for (int i = 0; i < count; ++i) all += answer();
    return all;
  }
  std::string rest() { return to_.read_to_end(); }

private:
  peer to_;
};

/// A folder for a journal, gone with this object.
class folder {
public:
  folder() {
    std::string pattern = std::filesystem::temp_directory_path() / "keyval-XXXXXX";
    BOOST_REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  ~folder() { std::filesystem::remove_all(path_); }

  [[nodiscard]] std::string path() const { return path_; }
  [[nodiscard]] std::string file() const { return path_ / "journal"; }

private:
  std::filesystem::path path_;
};

/// Returns: where a program of the system is; nothing when it is not installed.
inline std::string path_of(const std::string& name) {
  std::string path = "/usr/bin/" + name;
  return ::access(path.c_str(), X_OK) == 0 ? path : std::string{};
}

/// Returns: false, and says so in one line, where it is not installed.
inline bool is_installed(const std::string& name) {
  if (!path_of(name).empty()) return true;
  std::printf("skipped: %s is not installed\n", name.c_str());
  return false;
}

}  // namespace keyval
