#include <string>

#include <boost/test/unit_test.hpp>

#include <troupe/base/log.hpp>

#include <captured_log.hpp>
#include <forked.hpp>

namespace troupe {

BOOST_AUTO_TEST_SUITE(log_)

BOOST_AUTO_TEST_CASE(the_sink_in_force_gets_every_line) {
  test::captured_log captured;
  log(log_level::debug, "one");
  log(log_level::error, "two");
  BOOST_TEST(captured.lines() == (std::vector<std::string>{"one", "two"}));
}

BOOST_AUTO_TEST_CASE(setting_a_sink_returns_the_former_one) {
  log_sink mine = [](log_level, std::string_view) {};
  log_sink before = set_log_sink(mine);
  BOOST_TEST(set_log_sink(before) == mine);
}

BOOST_AUTO_TEST_CASE(the_default_writes_warnings_and_errors_to_stderr) {
  auto seen = test::run_forked([] {
    set_log_sink(nullptr);
    log(log_level::debug, "unseen");
    log(log_level::info, "unseen");
    log(log_level::warning, "careful");
    log(log_level::error, "broken");
    return 0;
  });
  BOOST_TEST(seen.errors == "troupe: careful\ntroupe: broken\n");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
