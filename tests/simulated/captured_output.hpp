#pragma once

#include <cstdio>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

namespace troupe::test {

/// Keeps what the process prints, to its standard output and error, while it lives. What a check
/// has to say would be kept as well: it has to be made afterwards.
class captured_output {
public:
  captured_output() : kept_{::memfd_create("output", MFD_CLOEXEC)} {
    BOOST_REQUIRE(kept_ >= 0);
    std::fflush(nullptr);
    output_ = ::dup(STDOUT_FILENO);
    errors_ = ::dup(STDERR_FILENO);
    ::dup2(kept_, STDOUT_FILENO);
    ::dup2(kept_, STDERR_FILENO);
  }
  captured_output(const captured_output&) = delete;
  captured_output& operator=(const captured_output&) = delete;
  ~captured_output() {
    std::fflush(nullptr);
    ::dup2(output_, STDOUT_FILENO);
    ::dup2(errors_, STDERR_FILENO);
    for (int each : {output_, errors_, kept_}) ::close(each);
  }

  /// Returns: what was printed up to now.
  [[nodiscard]] std::string text() const {
    std::fflush(nullptr);
    std::string all(static_cast<std::size_t>(::lseek(kept_, 0, SEEK_END)), ' ');
    BOOST_REQUIRE(::pread(kept_, all.data(), all.size(), 0) == static_cast<ssize_t>(all.size()));
    return all;
  }

private:
  int kept_;
  int output_ = -1, errors_ = -1;
};

}  // namespace troupe::test
