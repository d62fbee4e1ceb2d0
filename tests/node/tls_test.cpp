#include <array>
#include <chrono>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/net/tcp.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/task/yield.hpp>
#include <troupe/tls/tls.hpp>

#include <captured_log.hpp>
#include <error_of.hpp>
#include <net/temp_dir.hpp>
#include <node/accounts.hpp>
#include <tls/authority.hpp>

namespace troupe {
namespace {

using namespace std::chrono_literals;
using namespace test;

runtime_config two_workers() {
  runtime_config config;
  config.workers = 2;
  return config;
}

tls::papers with_dates(const tls::authority& by, std::chrono::hours begins,
                       std::chrono::hours ends) {
  tls::authority::wish wanted;
  wanted.begins = begins;
  wanted.ends = ends;
  return by.issue(wanted);
}

bool says(const std::string& text, const char* words) {
  return text.find(words) != std::string::npos;
}

/// Nodes on loopback that trust one authority, and a link that has to outlive what else happens.
struct secured {
  tls::authority trusted, stranger{"authority.other"};
  captured_log log;
  runtime rt{two_workers()};

  [[nodiscard]] node_tls with(const tls::papers& own) const {
    node_tls made;
    made.self.certificate_chain = tls::pem::text(own.certificate);
    made.self.private_key = tls::pem::text(own.key);
    made.trusted = tls::pem::text(trusted.certificate());
    return made;
  }
  [[nodiscard]] static node_options options(std::string name, node_tls with,
                                            std::string listen_on = {}) {
    node_options made;
    made.name = std::move(name);
    made.listen_on = std::move(listen_on);
    made.security = node_security::mutual_tls(std::move(with));
    return made;
  }
  [[nodiscard]] node_options server(const tls::papers& own) const {
    return options("server", with(own), "127.0.0.1:0");
  }
  [[nodiscard]] node_options client(const tls::papers& own) const {
    return options("client", with(own));
  }

  /// Runs `body(address)` beside a link to a server of these options, and checks that the link has
  /// not suffered.
  template <class Body>
  void beside_a_link(node_options as_server, Body body) {
    rt.block_on([&]() -> task<> {
      node here = co_await node::start(as_server);
      auto bank = spawn<savings>();
      here.publish<account>("bank", bank);
      std::string address = "127.0.0.1:" + std::to_string(here.port());
      node_options good = as_server;
      good.name = "good";
      good.listen_on = "";
      node other = co_await node::start(good);
      remote_node there = co_await other.connect(address);
      auto found = co_await there.find<account>("bank");
      co_await body(address);
      co_await found.send(deposit{42});
      BOOST_TEST((co_await found.ask(balance{})) == 42);
      BOOST_TEST(there.is_up());
      co_await other.shut_down();
      co_await here.shut_down();
    });
  }

  /// Returns: what comes of connecting.
  static task<std::string> refusal(node_options as, std::string address) {
    std::string words = "no error";
    node here = co_await node::start(std::move(as));
    try {
      (void)co_await here.connect(address);
    } catch (const system_error& failed) {
      words = failed.what();
    }
    co_await here.shut_down();
    co_return words;
  }

  /// Waits until the library has logged a line with these words.
  task<> logged(const char* words) {
    while (log.count(words) == 0) co_await yield();
  }

  /// A client with `own` is turned away: both sides say why.
  void check_client_is_refused(const tls::papers& own, const char* at_client,
                               const char* at_server) {
    beside_a_link(server(trusted.issue()), [&](std::string address) -> task<> {
      std::string words = co_await refusal(client(own), address);
      BOOST_TEST(says(words, at_client), words);
      BOOST_TEST(says(words, ("no link to " + address).c_str()), words);
      co_await logged(at_server);
    });
  }
  /// A server with `own` is not taken for the one that was meant.
  void check_server_is_refused(const tls::papers& own, const char* at_client,
                               std::string expected_name = {}) {
    node_options as_client = client(trusted.issue());
    node_tls looks_for = with(trusted.issue());
    looks_for.server_name = std::move(expected_name);
    as_client.security = node_security::mutual_tls(looks_for);
    node_options bad = server(own);
    rt.block_on([&]() -> task<> {
      node here = co_await node::start(bad);
      std::string address = "127.0.0.1:" + std::to_string(here.port());
      std::string words = co_await refusal(as_client, address);
      BOOST_TEST(says(words, at_client), words);
      BOOST_TEST(says(words, ("no link to " + address).c_str()), words);
      co_await here.shut_down();
    });
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(tls_, secured)

BOOST_AUTO_TEST_CASE(nodes_with_certificates_of_one_authority_talk) {
  beside_a_link(server(trusted.issue()), [&](std::string address) -> task<> {
    node_tls by_name = with(trusted.issue_to("other.test"));
    by_name.server_name = "server.test";
    node here = co_await node::start(options("other", by_name));
    remote_node there = co_await here.connect(address);
    auto bank = co_await there.find<account>("bank");
    BOOST_TEST((co_await bank.ask<echo>(std::string(100'000, 'x'))) == std::string(100'000, 'x'));
    BOOST_TEST(there.name() == "server");
    co_await here.shut_down();
  });
}

BOOST_AUTO_TEST_CASE(a_server_that_another_authority_vouches_for_is_refused) {
  check_server_is_refused(stranger.issue(), "unable to get local issuer certificate");
}

BOOST_AUTO_TEST_CASE(a_server_whose_certificate_has_expired_is_refused) {
  check_server_is_refused(with_dates(trusted, -48h, -24h), "certificate has expired");
}

BOOST_AUTO_TEST_CASE(a_server_whose_certificate_is_for_another_name_is_refused) {
  check_server_is_refused(trusted.issue_to("elsewhere.test"), "hostname mismatch", "server.test");
  check_server_is_refused(trusted.issue(), "hostname mismatch", "elsewhere.test");
  check_server_is_refused(trusted.issue_to("server.test"), "IP address mismatch");
}

BOOST_AUTO_TEST_CASE(a_client_that_another_authority_vouches_for_is_refused_and_told) {
  check_client_is_refused(stranger.issue(), "it refuses the certificate of this node",
                          "unable to get local issuer certificate");
}

BOOST_AUTO_TEST_CASE(a_client_whose_certificate_has_expired_is_refused_and_told) {
  check_client_is_refused(with_dates(trusted, -48h, -24h),
                          "it refuses the certificate of this node", "certificate has expired");
}

BOOST_AUTO_TEST_CASE(a_client_without_a_certificate_is_refused_and_told) {
  tls::client_config nobody;
  nobody.trusted = tls::pem::text(trusted.certificate());
  beside_a_link(server(trusted.issue()), [&](std::string address) -> task<> {
    auto port = static_cast<std::uint16_t>(std::stoi(address.substr(address.find(':') + 1)));
    io::stream plain = co_await net::tcp_connect("127.0.0.1", port);
    io::stream peer = co_await tls::connect(std::move(plain), tls::context{nobody}, "server.test");
    std::array<char, 16> buffer{};
    auto read = co_await peer.read_some(buffer).as_result();
    BOOST_TEST((!read && read.error() == tls::errc::refused_by_peer));
    co_await logged("peer did not return a certificate");
  });
}

BOOST_AUTO_TEST_CASE(a_client_that_is_not_listed_is_refused_and_told) {
  node_tls strict = with(trusted.issue());
  strict.clients = {"CN=server.test", "CN=friend.test"};
  beside_a_link(options("server", strict, "127.0.0.1:0"), [&](std::string address) -> task<> {
    std::string words = co_await refusal(client(trusted.issue_to("stranger.test")), address);
    BOOST_TEST(says(words, "'CN=stranger.test' is not among the clients that may connect"), words);
    co_await logged("'CN=stranger.test' is not among the clients that may connect");
    node_tls known = with(trusted.issue_to("friend.test"));
    node here = co_await node::start(options("friend", known));
    remote_node there = co_await here.connect(address);
    BOOST_TEST(there.is_up());
    co_await here.shut_down();
  });
}

BOOST_AUTO_TEST_CASE(a_plain_node_at_a_port_with_tls_is_told_of_it) {
  beside_a_link(server(trusted.issue()), [&](std::string address) -> task<> {
    std::string words = co_await refusal(plain_options("plain"), address);
    BOOST_TEST(says(words, "without a word, as a node with TLS does to one without"), words);
    co_await logged("not TLS");
  });
}

BOOST_AUTO_TEST_CASE(a_node_with_tls_at_a_plain_port_is_told_of_it) {
  beside_a_link(plain_options("server", "127.0.0.1:0"), [&](std::string address) -> task<> {
    std::string words = co_await refusal(client(trusted.issue()), address);
    BOOST_TEST(says(words, "not TLS"), words);
    co_await logged("it speaks TLS, and this node does not");
  });
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_used_is_named_when_the_node_starts) {
  temp_dir folder;
  auto start_with = [&](node_tls broken) {
    return error_of([&] {
      rt.block_on([&]() -> task<> { (void)co_await node::start(options("server", broken)); });
    });
  };
  node_tls missing = with(trusted.issue());
  missing.self.certificate_chain = tls::pem::file(folder.at("none.pem"));
  std::string words = start_with(missing);
  BOOST_TEST(says(words, "certificate_chain"), words);
  BOOST_TEST(says(words, folder.at("none.pem").c_str()), words);
  BOOST_TEST(says(words, "No such file"), words);

  node_tls unreadable = with(trusted.issue());
  std::filesystem::create_directory(folder.at("folder.key"));
  unreadable.self.private_key = tls::pem::file(folder.at("folder.key"));
  words = start_with(unreadable);
  BOOST_TEST(says(words, "private_key"), words);
  BOOST_TEST(says(words, folder.at("folder.key").c_str()), words);

  node_tls foreign = with(trusted.issue());
  foreign.self.private_key = tls::pem::text(trusted.issue().key);
  words = start_with(foreign);
  BOOST_TEST(says(words, "does not belong to the certificate"), words);

  node_tls trusts_nonsense = with(trusted.issue());
  trusts_nonsense.trusted = tls::pem::text("nonsense");
  words = start_with(trusts_nonsense);
  BOOST_TEST(says(words, "trusted"), words);
}

BOOST_AUTO_TEST_CASE(without_a_certificate_or_an_authority_there_is_no_mutual_tls) {
  auto start_with = [&](node_tls lacking) {
    return error_of([&] {
      rt.block_on([&]() -> task<> { (void)co_await node::start(options("server", lacking)); });
    });
  };
  node_tls without_self = with(trusted.issue());
  without_self.self = {};
  std::string words = start_with(without_self);
  BOOST_TEST(says(words, "certificate_chain"), words);
  node_tls without_trust = with(trusted.issue());
  without_trust.trusted = {};
  words = start_with(without_trust);
  BOOST_TEST(says(words, "trusted"), words);
}

BOOST_AUTO_TEST_CASE(garbage_at_a_port_with_tls_leaves_the_node_and_its_links_alone) {
  beside_a_link(server(trusted.issue()), [&](std::string address) -> task<> {
    auto port = static_cast<std::uint16_t>(std::stoi(address.substr(address.find(':') + 1)));
    const std::vector<std::string> garbage{std::string(32, '\0'),
                                           std::string(4, '\xff'),
                                           "GET / HTTP/1.1\r\n\r\n",
                                           std::string("\x16\x03\x01\x00\x05hello", 10),
                                           std::string("\x16\x03\x03\xff\xff", 5),
                                           std::string(100'000, 'x')};
    for (const std::string& each : garbage) {
      io::stream peer = co_await net::tcp_connect("127.0.0.1", port);
      try {
        (void)co_await peer.write_some(each);
        co_await peer.shutdown();
        (void)co_await peer.discard_to_end();  // The node lets go of it.
      } catch (const system_error& reset) {
        bool is_expected = reset.code() == boost::system::errc::connection_reset ||
                           reset.code() == boost::system::errc::broken_pipe ||
                           reset.code() == boost::system::errc::not_connected;
        BOOST_TEST(is_expected, reset.what());
      }
    }
    while (log.count("the link from 127.0.0.1") < garbage.size()) co_await yield();
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
