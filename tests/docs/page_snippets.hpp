#pragma once

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

namespace troupe::test {

/// A page with snippets, and the source that they are compiled in; paths from the root.
struct page_and_source {
  const char* page;
  const char* source;
};

/// The lines of a text, without what stands around them.
inline std::vector<std::string> stripped_lines(const std::string& path) {
  std::ifstream from{TROUPE_SOURCE_DIR "/" + path};
  std::vector<std::string> lines;
  for (std::string line; std::getline(from, line);) {
    std::size_t first = line.find_first_not_of(' ');
    lines.push_back(first == std::string::npos ? "" : line.substr(first));
  }
  return lines;
}

/// Checks that each C++ block of the page stands in one of the sources line by line, but for the
/// indentation. Returns: how many blocks there are.
inline int check_snippets(const char* page, const std::vector<std::string>& sources) {
  std::vector<std::vector<std::string>> compiled;
  for (const auto& each : sources) compiled.push_back(stripped_lines(each));
  std::vector<std::string> block;
  int blocks = 0;
  bool is_inside = false;
  for (const auto& line : stripped_lines(page)) {
    if (is_inside && line == "```") {
      bool is_there = std::any_of(compiled.begin(), compiled.end(), [&](const auto& lines) {
        return std::search(lines.begin(), lines.end(), block.begin(), block.end()) != lines.end();
      });
      BOOST_TEST(is_there, "a snippet that is not here: " << block.front());
      ++blocks;
      is_inside = false;
    } else if (is_inside) {
      block.push_back(line);
    } else if (line == "```cpp") {
      is_inside = true;
      block.clear();
    }
  }
  BOOST_TEST(!is_inside);
  return blocks;
}
inline int check_snippets(const page_and_source& of) {
  return check_snippets(of.page, {of.source});
}

}  // namespace troupe::test
