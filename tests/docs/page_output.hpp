#pragma once

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <system_error>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "page_snippets.hpp"

namespace troupe::test {

/// Collects what the process writes to stdout while it lives; one at a time.
class captured_output {
public:
  captured_output() : file_{std::tmpfile()} {
    if (file_ == nullptr) throw std::system_error{errno, std::generic_category(), "tmpfile"};
    std::fflush(stdout);
    former_ = ::dup(STDOUT_FILENO);
    ::dup2(::fileno(file_), STDOUT_FILENO);
  }
  ~captured_output() {
    std::fflush(stdout);
    ::dup2(former_, STDOUT_FILENO);
    ::close(former_);
    std::fclose(file_);
  }
  captured_output(const captured_output&) = delete;
  captured_output& operator=(const captured_output&) = delete;

  /// Returns: what was written so far, line by line. Requires: nothing more is written.
  [[nodiscard]] std::vector<std::string> lines() const {
    std::fflush(stdout);
    std::rewind(file_);
    std::vector<std::string> written(1);
    for (int letter = std::fgetc(file_); letter != EOF; letter = std::fgetc(file_)) {
      if (letter == '\n') {
        written.emplace_back();
      } else {
        written.back().push_back(static_cast<char>(letter));
      }
    }
    if (written.back().empty()) written.pop_back();
    return written;
  }

private:
  std::FILE* file_;
  int former_;
};

/// Checks that these lines stand on the page, one below the other.
inline void check_output(const char* page, const std::vector<std::string>& printed) {
  auto lines = stripped_lines(page);
  bool is_there =
      std::search(lines.begin(), lines.end(), printed.begin(), printed.end(),
                  [](const std::string& shown, const std::string& line) {
                    return shown == line.substr(std::min(line.find_first_not_of(' '), line.size()));
                  }) != lines.end();
  std::string all;
  for (const auto& each : printed) all += "\n    " + each;
  BOOST_TEST(!printed.empty());
  BOOST_TEST(is_there, page << " does not show what is printed:" << all);
}

/// The same for what `body()` prints.
template <class Body>
void check_output_of(const char* page, Body body) {
  std::vector<std::string> printed;
  {
    captured_output output;
    body();
    printed = output.lines();
  }
  check_output(page, printed);
}

}  // namespace troupe::test
