#include <string>

#include <boost/test/unit_test.hpp>

#include <service/serving.hpp>

namespace service {

namespace {

// Runs the service with wrong options. Returns: what it says about them.
std::string complaint_about(std::vector<std::string> arguments) {
  samples::program started{"service", std::move(arguments)};
  std::string text = started.error_text();
  BOOST_TEST(started.lines().empty());
  BOOST_TEST(started.exit_code() == 2);
  BOOST_TEST(text.find('\n') == text.size() - 1);  // One line.
  return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(options_, *boost::unit_test::label("sample"))

BOOST_AUTO_TEST_CASE(an_unknown_option_is_named_in_one_line) {
  BOOST_TEST(complaint_about({"--sreve"}).starts_with("service: unexpected '--sreve'"));
}

BOOST_AUTO_TEST_CASE(a_number_out_of_range_is_named_with_its_range) {
  BOOST_TEST(complaint_about({"--port", "70000"}) ==
             "service: --port is '70000': it must be a number from 0 to 65535\n");
  BOOST_TEST(complaint_about({"--connections", "0"}) ==
             "service: --connections is '0': it must be a number from 1 to 10000\n");
  BOOST_TEST(complaint_about({"--seconds", "-1"}).starts_with("service: --seconds is '-1'"));
  BOOST_TEST(complaint_about({"--idle", "nan"}).starts_with("service: --idle is 'nan'"));
}

BOOST_AUTO_TEST_CASE(options_of_the_load_do_not_go_with_serving) {
  BOOST_TEST(complaint_about({"--serve", "--seconds", "3"}).find("--serve has none") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(options_of_chaos_need_it_and_it_needs_a_load) {
  BOOST_TEST(complaint_about({"--chaos", "--seed", "0"}) ==
             "service: --seed is '0': it must be a number from 1 to 4294967295\n");
  BOOST_TEST(complaint_about({"--chaos", "--kills", "51"}) ==
             "service: --kills is '51': it must be a number from 1 to 50\n");
  BOOST_TEST(complaint_about({"--kills", "5"}).starts_with("service: --kills is how often"));
  BOOST_TEST(complaint_about({"--serve", "--chaos"}).starts_with("service: --chaos needs a load"));
}

BOOST_AUTO_TEST_CASE(a_tls_port_needs_a_certificate_and_its_key_and_goes_with_serving) {
  BOOST_TEST(complaint_about({"--serve", "--tls-cert", "a.pem"}) ==
             "service: --tls-cert and --tls-key belong together: give both\n");
  BOOST_TEST(complaint_about({"--serve", "--tls-port", "7001"}).starts_with("service: --tls-port"));
  BOOST_TEST(complaint_about({"--tls-cert", "a", "--tls-key", "b"}).find("give --serve") !=
             std::string::npos);
  BOOST_TEST(complaint_about({"--serve", "--tls-cert"}) == "service: --tls-cert lacks its FILE\n");
}

BOOST_AUTO_TEST_CASE(a_certificate_that_cannot_be_used_is_one_line_and_exit_code_1) {
  samples::program started{"service",
                           {"--serve", "--tls-cert", "no/such.pem", "--tls-key", "no/such.key"}};
  std::string text = started.error_text();
  std::string expected = with_tls ? "service: TLS: certificate_chain (no/such.pem): No such file"
                                  : "service: no TLS port: the service was built with TROUPE_WITH";
  BOOST_TEST(text.starts_with(expected), text);
  BOOST_TEST(text.find('\n') == text.size() - 1);
  BOOST_TEST(started.exit_code() == 1);
}

BOOST_AUTO_TEST_CASE(a_port_in_use_is_one_line_and_exit_code_1) {
  samples::program first{"service", {"--serve"}};
  std::string port = std::to_string(samples::port_of(first));
  samples::program second{"service", {"--serve", "--port", port}};
  std::string expected = "service: cannot listen on 127.0.0.1:" + port + ": Address already in use";
  std::string text = second.error_text();
  BOOST_TEST(text.starts_with(expected));
  BOOST_TEST(text.find('\n') == text.size() - 1);
  BOOST_TEST(second.exit_code() == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace service
