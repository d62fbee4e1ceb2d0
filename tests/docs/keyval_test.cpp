// The page docs/keyval.md shows the sources of samples/keyval; here it is compared with them.

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <string>
#include <vector>

#include "page_snippets.hpp"

BOOST_AUTO_TEST_SUITE(keyval_page_)

BOOST_AUTO_TEST_CASE(every_snippet_of_the_page_is_a_part_of_the_sample) {
  namespace files = std::filesystem;
  const files::path root = TROUPE_SOURCE_DIR;
  std::vector<std::string> sources;
  for (const auto& each : files::recursive_directory_iterator{root / "samples/keyval"}) {
    if (each.is_regular_file()) sources.push_back(each.path().lexically_relative(root));
  }
  BOOST_TEST(troupe::test::check_snippets("docs/keyval.md", sources) == 12);
}

BOOST_AUTO_TEST_SUITE_END()
