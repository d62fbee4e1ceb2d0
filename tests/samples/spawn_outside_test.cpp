#include <boost/test/unit_test.hpp>

#include <troupe/task/spawn.hpp>

#include <forked.hpp>
#include <samples/program.hpp>

namespace samples {

BOOST_AUTO_TEST_SUITE(spawn_outside_, *boost::unit_test::label("sample"))

BOOST_AUTO_TEST_CASE(outside_a_runtime_spawn_says_in_one_line_what_to_do_and_ends_with_code_1) {
  auto end = troupe::test::run_forked([] {
    troupe::spawn([] {});
    return 0;
  });
  BOOST_TEST(end.code == 1);
  BOOST_TEST(matches(end.errors,
                     "troupe: [^\n]*spawn_outside_test.cpp:14: spawn\\(\\) was called outside a "
                     "runtime: [^\n]* troupe::run\\(main\\) \\[T02\\]\n"),
             end.errors);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace samples
