#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <samples/program.hpp>

namespace samples {

namespace {

// Wrong usage: nothing on stdout, one line on stderr that begins with the name and matches.
void refuses(const std::string& name, std::vector<std::string> arguments, const char* pattern) {
  program sample{name, std::move(arguments)};
  std::string said = sample.error_text();
  BOOST_TEST(sample.lines().empty());
  BOOST_TEST(matches(said, (name + ": " + pattern + "\n").c_str()), "unexpected: " << said);
  BOOST_TEST(sample.exit_code() == 2);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(options_, *boost::unit_test::label("sample"))

BOOST_AUTO_TEST_CASE(every_sample_names_an_option_that_it_does_not_have) {
  for (const char* name :
       {"tasks_hello_tasks", "tasks_oneshot_result", "tasks_mpsc_stream", "tasks_listener",
        "tasks_aggregator", "tasks_coordinator", "tasks_when_not_to_spawn"}) {
    refuses(name, {"--nonsense"}, "unexpected '--nonsense'; usage: [^\n]*");
  }
}

BOOST_AUTO_TEST_CASE(a_word_that_is_no_option_is_named) {
  refuses("tasks_hello_tasks", {"--hold", "on"}, "unexpected 'on'; usage: [^\n]*");
}

BOOST_AUTO_TEST_CASE(a_number_out_of_range_is_named_with_its_range) {
  refuses("tasks_listener", {"--port", "65536"},
          "--port is '65536': it must be a number from 0 to 65535");
  refuses("tasks_listener", {"--port", "-1"},
          "--port is '-1': it must be a number from 0 to 65535");
  for (const char* text : {"0", "-5", "nan", "inf", "1e300", "1e999"}) {
    refuses("tasks_aggregator", {"--interval", text},
            "--interval is '[^']*': it must be a number from 0.001 to 86400");
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_number_is_named) {
  for (const char* text : {"", "http", "80x", "8 0", "0x50"}) {
    refuses("tasks_listener", {"--port", text},
            "--port is '[^']*': it must be a number from 0 to 65535");
  }
}

BOOST_AUTO_TEST_CASE(an_option_that_lacks_its_number_is_named) {
  refuses("tasks_aggregator", {"--interval"}, "--interval lacks its number, from 0.001 to 86400");
}

BOOST_AUTO_TEST_CASE(help_is_one_line_and_no_error) {
  program sample{"tasks_aggregator", {"--help"}};
  std::vector<std::string> expected{
      "usage: tasks_aggregator [--port 0..65535] [--interval 0.001..86400]"};
  BOOST_TEST(sample.lines() == expected, boost::test_tools::per_element());
  BOOST_TEST(sample.exit_code() == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace samples
