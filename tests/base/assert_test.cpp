#include <csignal>
#include <source_location>
#include <string>

#include <fmt/format.h>
#include <boost/test/unit_test.hpp>

#include <troupe/base/assert.hpp>

#include <forked.hpp>
#include <thrown_misuse.hpp>

namespace troupe {

BOOST_AUTO_TEST_SUITE(assert_)

BOOST_AUTO_TEST_CASE(a_misuse_is_one_line_and_exit_code_1) {
  auto seen = test::run_forked([]() -> int { misuse("do it otherwise"); });
  BOOST_TEST(seen.code == 1);
  BOOST_TEST(seen.errors == "troupe: do it otherwise\n");
}

BOOST_AUTO_TEST_CASE(a_handler_may_throw_instead) {
  BOOST_TEST(test::misuse_of([] { misuse("text"); }) == "text");
}

BOOST_AUTO_TEST_CASE(a_misuse_begins_with_the_line_that_it_is_told) {
  auto here = std::source_location::current();
  auto line = test::misuse_line_of([&] { misuse("text [T99]", here); });
  BOOST_TEST(line == fmt::format("{}:{}: text [T99]", here.file_name(), here.line()));
  BOOST_TEST(test::misuse_of([&] { misuse("text [T99]", here); }) == "text");
}

BOOST_AUTO_TEST_CASE(setting_a_handler_returns_the_former_one) {
  misuse_handler mine = [](const char*) {};
  misuse_handler before = set_misuse_handler(mine);
  BOOST_TEST(set_misuse_handler(nullptr) == mine);
  BOOST_TEST(set_misuse_handler(before) == before);  // Null restores the default.
}

BOOST_AUTO_TEST_CASE(a_handler_that_returns_ends_the_process) {
  auto seen = test::run_forked([]() -> int {
    set_misuse_handler([](const char*) {});
    misuse("text");
  });
  BOOST_TEST(seen.code == 128 + SIGABRT);
}

BOOST_AUTO_TEST_CASE(a_broken_invariant_names_its_place_and_aborts) {
  auto seen = test::run_forked([] {
    int one = 1;
    TROUPE_ASSERT(one == 1);
    TROUPE_ASSERT(one == 2);
    return 0;
  });
  BOOST_TEST(seen.code == 128 + SIGABRT);
  BOOST_TEST(seen.errors.find("assert_test.cpp:") != std::string::npos);
  BOOST_TEST(seen.errors.find("broken invariant: one == 2") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
