// docs/guide/when-to-spawn.md shows the sources of samples/tasks; tests/samples/ runs them.

#include <boost/test/unit_test.hpp>

#include "page_snippets.hpp"

BOOST_AUTO_TEST_SUITE(guide_when_to_spawn_)

BOOST_AUTO_TEST_CASE(every_snippet_of_the_page_is_a_part_of_a_sample) {
  BOOST_TEST(
      troupe::test::check_snippets("docs/guide/when-to-spawn.md",
                                   {"samples/tasks/listener.cpp", "samples/tasks/aggregator.cpp",
                                    "samples/tasks/coordinator.cpp"}) == 5);
}

BOOST_AUTO_TEST_SUITE_END()
