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
inline std::vector<std::string> stripped_lines(const char* path) {
  std::ifstream from{std::string{TROUPE_SOURCE_DIR "/"} + path};
  std::vector<std::string> lines;
  for (std::string line; std::getline(from, line);) {
    std::size_t first = line.find_first_not_of(' ');
    lines.push_back(first == std::string::npos ? "" : line.substr(first));
  }
  return lines;
}

/// Checks that each C++ block of the page stands in the source line by line, but for the
/// indentation. Returns: how many blocks there are.
inline int check_snippets(const page_and_source& of) {
  std::vector<std::string> compiled = stripped_lines(of.source), block;
  int blocks = 0;
  bool is_inside = false;
  for (const auto& line : stripped_lines(of.page)) {
    if (is_inside && line == "```") {
      auto found = std::search(compiled.begin(), compiled.end(), block.begin(), block.end());
      BOOST_TEST((found != compiled.end()), "a snippet that is not here: " << block.front());
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

}  // namespace troupe::test
