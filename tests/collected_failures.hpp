#pragma once

#include <exception>
#include <source_location>
#include <string>
#include <vector>

#include <troupe/pal/mutex.hpp>
#include <troupe/task/failure.hpp>

namespace troupe::test {

/// Collects the exceptions that nobody awaits while it lives, instead of failing the test.
/// One at a time.
class collected_failures {
public:
  collected_failures() : former_{set_failure_sink(&keep)} {
    pal::lock guard{mutex};
    kept.clear();
  }
  ~collected_failures() { set_failure_sink(former_); }
  collected_failures(const collected_failures&) = delete;
  collected_failures& operator=(const collected_failures&) = delete;

  /// Returns: what each of them says of itself.
  [[nodiscard]] std::vector<std::string> texts() const {
    pal::lock guard{mutex};
    return kept;
  }

private:
  static void keep(const failure& seen) {
    pal::lock guard{mutex};
    kept.push_back(describe(seen.error));
  }

  static inline pal::mutex mutex;
  static inline std::vector<std::string> kept;

  failure_sink former_;
};

}  // namespace troupe::test
