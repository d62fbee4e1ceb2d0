#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include "values.hpp"

namespace samples {

/// The command line of a sample. Each call takes its option out; end() refuses what is left.
/// Wrong usage is one line on stderr that names it, and exit code 2; --help is exit code 0.
class options {
public:
  options(int argc, char** argv) : rest_{argv + 1, argv + argc} {
    std::string_view path{argv[0]};
    program_ = path.substr(path.rfind('/') + 1);
    usage_ = fmt::format("usage: {}", program_);
  }

  /// Returns: whether `name` was there.
  bool flag(std::string_view name) {
    usage_ += fmt::format(" [{}]", name);
    auto found = std::find(rest_.begin(), rest_.end(), name);
    if (found == rest_.end()) return false;
    rest_.erase(found);
    return true;
  }

  /// Returns: the number after `name`, from `least` to `most`; `otherwise` without the option.
  template <class Number>
  Number number(std::string_view name, Number otherwise, Number least, Number most) {
    usage_ += fmt::format(" [{} {}..{}]", name, least, most);
    auto found = std::find(rest_.begin(), rest_.end(), name);
    if (found == rest_.end()) return otherwise;
    if (found + 1 == rest_.end()) {
      refuse(fmt::format("{} lacks its number, from {} to {}", name, least, most));
    }
    std::string_view text{found[1]};
    std::optional<Number> value = number_in(text, least, most);
    if (!value) {
      refuse(fmt::format("{} is '{}': it must be a number from {} to {}", name, text, least, most));
    }
    rest_.erase(found, found + 2);
    return *value;
  }

  /// Returns: the time after `name`, such as 500us, 1ms, 2s; `otherwise` without the option.
  std::chrono::nanoseconds time(std::string_view name, std::chrono::nanoseconds otherwise,
                                std::chrono::nanoseconds most) {
    usage_ += fmt::format(" [{} TIME]", name);
    auto found = std::find(rest_.begin(), rest_.end(), name);
    if (found == rest_.end()) return otherwise;
    if (found + 1 == rest_.end()) refuse(fmt::format("{} lacks its time, such as 1ms", name));
    std::string_view text{found[1]};
    std::optional<std::chrono::nanoseconds> value = time_in(text, most);
    if (!value) {
      refuse(fmt::format("{} is '{}': it must be a time such as 500us, 1ms or 2s", name, text));
    }
    rest_.erase(found, found + 2);
    return *value;
  }

  /// Returns: the text after `name`; empty without the option.
  std::string text(std::string_view name, std::string_view what) {
    usage_ += fmt::format(" [{} {}]", name, what);
    auto found = std::find(rest_.begin(), rest_.end(), name);
    if (found == rest_.end()) return {};
    if (found + 1 == rest_.end() || found[1].empty()) {
      refuse(fmt::format("{} lacks its {}", name, what));
    }
    std::string value{found[1]};
    rest_.erase(found, found + 2);
    return value;
  }

  void end() const {
    if (rest_.empty()) return;
    if (rest_.front() == "--help") {
      fmt::print("{}\n", usage_);
      std::exit(0);
    }
    refuse(fmt::format("unexpected '{}'; {}", rest_.front(), usage_));
  }

private:
  [[noreturn]] void refuse(const std::string& why) const {
    fmt::print(stderr, "{}: {}\n", program_, why);
    std::exit(2);
  }

  std::vector<std::string_view> rest_;
  std::string program_;
  std::string usage_;
};

}  // namespace samples
