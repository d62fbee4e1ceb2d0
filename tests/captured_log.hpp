#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <troupe/base/log.hpp>
#include <troupe/pal/mutex.hpp>

namespace troupe::test {

/// Collects what the library logs while it lives; one at a time.
class captured_log {
public:
  captured_log() : former_{set_log_sink(&keep)} {
    pal::lock guard{mutex};
    kept.clear();
  }
  ~captured_log() { set_log_sink(former_); }
  captured_log(const captured_log&) = delete;
  captured_log& operator=(const captured_log&) = delete;

  [[nodiscard]] std::vector<std::string> lines() const {
    pal::lock guard{mutex};
    return kept;
  }

  /// Returns: how many lines contain `part`.
  [[nodiscard]] std::size_t count(std::string_view part) const {
    pal::lock guard{mutex};
    return static_cast<std::size_t>(std::count_if(kept.begin(), kept.end(), [&](const auto& line) {
      return line.find(part) != std::string::npos;
    }));
  }

private:
  static void keep(log_level, std::string_view text) {
    pal::lock guard{mutex};
    kept.emplace_back(text);
  }

  static inline pal::mutex mutex;
  static inline std::vector<std::string> kept;

  log_sink former_;
};

}  // namespace troupe::test
