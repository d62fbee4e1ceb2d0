#include <string>

#include <boost/test/unit_test.hpp>

#include <troupe/io/endpoint.hpp>

namespace troupe::io {

BOOST_AUTO_TEST_SUITE(endpoint_)

BOOST_AUTO_TEST_CASE(what_it_reads_it_writes) {
  for (std::string host : {"127.0.0.1", "0.0.0.0", "255.1.2.3", "::1", "::", "2001:db8::7"}) {
    endpoint at = endpoint::parse(host, 8080).value();
    BOOST_TEST(at.host() == host);
    BOOST_TEST(at.port() == 8080u);
    BOOST_TEST(at.is_v6() == (host.find(':') != host.npos));
    BOOST_TEST(at.text() == (at.is_v6() ? "[" + host + "]:8080" : host + ":8080"));
  }
  BOOST_TEST(endpoint::parse("localhost", 1).value().text() == "127.0.0.1:1");
}

BOOST_AUTO_TEST_CASE(a_scope_is_a_number_or_the_name_of_an_interface) {
  BOOST_TEST(endpoint::parse("fe80::1%7", 1).value().scope() == 7u);
  BOOST_TEST(endpoint::parse("fe80::1%7", 1).value().text() == "[fe80::1%7]:1");
  BOOST_TEST(endpoint::parse("fe80::1%lo", 1).value().scope() != 0u);
  BOOST_TEST(endpoint::parse("fe80::1%no-such-interface", 1).has_error());
}

BOOST_AUTO_TEST_CASE(what_is_no_address_is_refused) {
  std::string with_zero{"127.0.0.1\0x", 11};
  for (std::string host : {std::string{}, std::string{"example.com"}, std::string{"1.2.3"},
                           std::string{"1.2.3.4.5"}, std::string{"::x"}, std::string{"127.0.0.1 "},
                           std::string{"[::1]"}, std::string{"::1%"}, with_zero}) {
    BOOST_TEST(endpoint::parse(host, 1).has_error(), host);
  }
}

BOOST_AUTO_TEST_CASE(equal_means_address_port_family_and_scope) {
  endpoint one = endpoint::v4({127, 0, 0, 1}, 80);
  BOOST_TEST((one == endpoint::parse("127.0.0.1", 80).value()));
  BOOST_TEST((one != endpoint::v4({127, 0, 0, 1}, 81)));
  BOOST_TEST((one != endpoint::v4({127, 0, 0, 2}, 80)));
  BOOST_TEST((endpoint::v6({}, 80) != endpoint::v4({}, 80)));
  BOOST_TEST((endpoint::v6({}, 80, 1) != endpoint::v6({}, 80, 2)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::io
