#include <functional>

#include <boost/test/unit_test.hpp>

#include <troupe/sync/event.hpp>
#include <troupe/task/select.hpp>

#include <tls/secure.hpp>

namespace troupe::tls {

namespace {

using namespace std::chrono_literals;

struct fixture : net::two_workers {
  authority trusted;
  authority stranger{"authority.strange"};
  context client{trusting(trusted)};
  context server{serving(trusted.issue())};

  both_outcomes try_both(const context& as_client, const context& as_server,
                         const std::string& host = "server.test") {
    return rt.block_on([&]() -> task<both_outcomes> {
      both_outcomes both = co_await shake_hands(as_client, as_server, host);
      co_return both;
    });
  }

  // A server that a client with our trust refuses, for a reason. A good pair goes on meanwhile.
  void check_refused(const papers& own, std::string_view reason,
                     const std::string& host = "server.test") {
    rt.block_on([&]() -> task<> {
      secure_connection good = co_await secure_pair(client, server);
      context bad_server{serving(own)};
      both_outcomes bad = co_await shake_hands(client, bad_server, host);
      BOOST_TEST((bad.client.code == errc::certificate_refused), bad.client.text);
      BOOST_TEST(bad.client.says(reason), bad.client.text);
      BOOST_TEST(bad.client.says("TLS handshake with " + host), bad.client.text);
      BOOST_TEST((bad.server.code == errc::refused_by_peer), bad.server.text);
      co_await check_talk(good);
    });
  }

  // A peer that sends `bytes` instead of TLS. Returns: what the server makes of it.
  outcome greeted_with(std::string bytes, bool then_ends = false) {
    return rt.block_on([&]() -> task<outcome> {
      secure_connection good = co_await secure_pair(client, server);
      net::connection wires = co_await net::connect_pair();
      auto accepting = spawn(outcome_of(tls::accept(std::move(wires.far), server)));
      co_await wires.near.write_all(bytes);
      if (then_ends) co_await wires.near.shutdown();
      outcome came = co_await accepting;
      // The connection is closed.
      std::array<char, 64> buffer{};
      auto rest = co_await wires.near.read_some(buffer).as_result();
      while (rest && *rest != 0) rest = co_await wires.near.read_some(buffer).as_result();
      co_await check_talk(good);
      co_return came;
    });
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(handshake_, fixture)

BOOST_AUTO_TEST_CASE(both_sides_learn_what_was_agreed_on) {
  rt.block_on([&]() -> task<> {
    secure_connection made = co_await secure_pair(client, server);
    co_await check_talk(made);
    std::optional<info> told = info_of(made.client);
    BOOST_REQUIRE(told);
    BOOST_TEST(told->version == "TLSv1.3");
    BOOST_TEST(told->cipher == "TLS_AES_256_GCM_SHA384");
    BOOST_TEST(told->alpn == "");
    BOOST_TEST(told->peer_subject == "CN=server.test");
    BOOST_TEST(told->peer_verified);
    BOOST_TEST(!told->resumed);
    std::optional<info> servers = info_of(made.server);
    BOOST_TEST(servers->peer_subject == "");
    BOOST_TEST(!servers->peer_verified);
    net::connection plain = co_await net::connect_pair();
    BOOST_TEST(!info_of(plain.near));
    BOOST_TEST(!made.client.peer_address().empty());
    BOOST_TEST(made.client.peer_address() == made.server.local_address());
  });
}

BOOST_AUTO_TEST_CASE(a_certificate_for_another_name_is_refused) {
  check_refused(trusted.issue_to("other.test"), "hostname mismatch");
  check_refused(trusted.issue(), "hostname mismatch", "other.test");
  check_refused(trusted.issue_to("server.test"), "IP address mismatch", "127.0.0.1");
}

BOOST_AUTO_TEST_CASE(an_address_in_the_certificate_will_do) {
  both_outcomes both = try_both(client, server, "127.0.0.1");
  BOOST_TEST(!both.client.code.failed(), both.client.text);
}

BOOST_AUTO_TEST_CASE(an_expired_certificate_is_refused) {
  authority::wish wanted;
  wanted.begins = -48h;
  wanted.ends = -24h;
  check_refused(trusted.issue(wanted), "certificate has expired");
}

BOOST_AUTO_TEST_CASE(a_certificate_that_is_not_valid_yet_is_refused) {
  authority::wish wanted;
  wanted.begins = 24h;
  wanted.ends = 48h;
  check_refused(trusted.issue(wanted), "certificate is not yet valid");
}

BOOST_AUTO_TEST_CASE(a_self_signed_certificate_is_refused) {
  check_refused(authority::self_signed(), "self-signed certificate");
}

BOOST_AUTO_TEST_CASE(a_certificate_of_an_unknown_authority_is_refused) {
  check_refused(stranger.issue(), "unable to get local issuer certificate");
}

BOOST_AUTO_TEST_CASE(without_verification_anybody_is_taken_for_the_server) {
  client_config careless;
  careless.verify_peer = false;
  context bad{serving(stranger.issue())};
  both_outcomes both = try_both(context{careless}, bad);
  BOOST_REQUIRE(both.client.made);
  BOOST_TEST(!info_of(*both.client.made)->peer_verified);
}

BOOST_AUTO_TEST_CASE(a_client_without_the_certificate_asked_for_is_refused_and_told) {
  server_config strict = serving(trusted.issue());
  strict.trusted_clients = pem::text(trusted.certificate());
  context asking{strict};
  rt.block_on([&]() -> task<> {
    both_outcomes both = co_await shake_hands(client, asking);
    BOOST_TEST((both.server.code == errc::certificate_refused), both.server.text);
    BOOST_TEST(both.server.says("peer did not return a certificate"), both.server.text);
    BOOST_TEST(both.server.says("TLS handshake with 127.0.0.1:"), both.server.text);
    BOOST_REQUIRE(both.client.made);  // It is told with its first read.
    boost::system::error_code code;
    co_await next_bytes(*both.client.made, code);
    BOOST_TEST((code == errc::refused_by_peer), code.message());
  });
}

BOOST_AUTO_TEST_CASE(a_client_certificate_is_seen_by_the_server_if_its_authority_is_trusted) {
  server_config strict = serving(trusted.issue());
  strict.trusted_clients = pem::text(trusted.certificate());
  client_config known = trusting(trusted);
  known.self = identity_of(trusted.issue_to("client.test"));
  both_outcomes both = try_both(context{known}, context{strict});
  BOOST_REQUIRE(both.server.made);
  BOOST_TEST(info_of(*both.server.made)->peer_subject == "CN=client.test");
  BOOST_TEST(info_of(*both.server.made)->peer_verified);
  known.self = identity_of(stranger.issue_to("client.test"));
  both_outcomes refused = try_both(context{known}, context{strict});
  BOOST_TEST((refused.server.code == errc::certificate_refused), refused.server.text);
}

BOOST_AUTO_TEST_CASE(a_client_certificate_that_is_optional_may_be_left_out) {
  server_config lenient = serving(trusted.issue());
  lenient.trusted_clients = pem::text(trusted.certificate());
  lenient.require_client_certificate = false;
  both_outcomes both = try_both(client, context{lenient});
  BOOST_REQUIRE(both.server.made);
  BOOST_TEST(!info_of(*both.server.made)->peer_verified);
}

BOOST_AUTO_TEST_CASE(the_server_prefers_among_what_both_speak) {
  client_config speaks = trusting(trusted);
  speaks.alpn = {"a", "b", "c"};
  server_config hears = serving(trusted.issue());
  hears.alpn = {"d", "c", "b"};
  both_outcomes both = try_both(context{speaks}, context{hears});
  BOOST_REQUIRE((both.client.made && both.server.made));
  BOOST_TEST(info_of(*both.client.made)->alpn == "c");
  BOOST_TEST(info_of(*both.server.made)->alpn == "c");
}

BOOST_AUTO_TEST_CASE(a_client_that_speaks_none_of_the_protocols_is_refused) {
  client_config speaks = trusting(trusted);
  speaks.alpn = {"a"};
  server_config hears = serving(trusted.issue());
  hears.alpn = {"b"};
  both_outcomes both = try_both(context{speaks}, context{hears});
  BOOST_TEST((both.client.code == errc::refused_by_peer), both.client.text);
  BOOST_TEST(both.client.says("no application protocol"), both.client.text);
  BOOST_TEST((both.server.code == errc::protocol), both.server.text);
}

BOOST_AUTO_TEST_CASE(an_old_version_is_refused) {
  server_config modern = serving(trusted.issue());
  modern.min_version = version::tls_1_3;
  context with{modern};
  runtime one{one_worker::config()};
  outcome came = one.block_on([&]() -> task<outcome> {
    raw_peer old{raw_peer::role::client, {}, TLS1_2_VERSION};
    played on;
    outcome got = co_await outcome_of(on.accept(old, with));
    co_return got;
  });
  BOOST_TEST((came.code == errc::protocol), came.text);
  BOOST_TEST(came.says("unsupported protocol"), came.text);
}

BOOST_AUTO_TEST_CASE(the_second_connection_resumes_the_first_unless_either_side_is_against_it) {
  auto resumed_at_second = [&](const context& as_client, const context& as_server) {
    return rt.block_on([&]() -> task<bool> {
      secure_connection first = co_await secure_pair(as_client, as_server);
      co_await check_talk(first);  // The ticket comes with the first bytes.
      secure_connection second = co_await secure_pair(as_client, as_server);
      co_await check_talk(second);
      bool client_says = info_of(second.client)->resumed;
      BOOST_TEST(client_says == info_of(second.server)->resumed);
      BOOST_TEST(info_of(second.client)->peer_subject == "CN=server.test");
      co_return client_says;
    });
  };
  BOOST_TEST(resumed_at_second(client, server));
  client_config forgets = trusting(trusted);
  forgets.resumption = false;
  BOOST_TEST(!resumed_at_second(context{forgets}, server));
  server_config unique = serving(trusted.issue());
  unique.resumption = false;
  BOOST_TEST(!resumed_at_second(context{trusting(trusted)}, context{unique}));
}

BOOST_AUTO_TEST_CASE(plain_text_on_a_tls_port_is_told_from_its_first_byte) {
  for (const char* text : {"GET / HTTP/1.1\r\n\r\n", "h", "hello\n"}) {
    outcome came = greeted_with(text);
    BOOST_TEST((came.code == errc::not_tls), came.text);
    BOOST_TEST(came.says("looks like plain text"), came.text);
    BOOST_TEST(came.says("not TLS"), came.text);
  }
}

BOOST_AUTO_TEST_CASE(garbage_is_refused) {
  outcome came = greeted_with(std::string{"\x80\x2e\x01", 3});
  BOOST_TEST((came.code == errc::not_tls), came.text);
  BOOST_TEST(came.says("begins with the byte 0x80"), came.text);
  came = greeted_with("\x16\x03\x01" + std::string(600, 'x'));
  BOOST_TEST((came.code == errc::protocol), came.text);
}

BOOST_AUTO_TEST_CASE(an_end_within_the_handshake_is_truncation) {
  BOOST_TEST((greeted_with("\x16\x03\x01", true).code == errc::truncated));
  BOOST_TEST((greeted_with("", true).code == errc::truncated));
}

BOOST_AUTO_TEST_CASE(a_client_meets_a_server_without_tls) {
  rt.block_on([&]() -> task<> {
    net::connection wires = co_await net::connect_pair();
    co_await wires.far.write_all("220 hello\r\n");
    outcome came = co_await outcome_of(tls::connect(std::move(wires.near), client, "server.test"));
    BOOST_TEST((came.code == errc::not_tls), came.text);
  });
}

BOOST_AUTO_TEST_CASE(a_half_open_handshake_ends_at_its_limit) {
  pal::virtual_clock clock;
  runtime one{one_worker::config(&clock)};
  for (std::size_t sent_bytes : {0u, 1u, 5u, 100u}) {
    raw_peer silent{raw_peer::role::client};
    std::string hello = silent.give().substr(0, sent_bytes);
    auto wire = std::make_shared<io::scripted_wire>();
    time_point began = clock.now();
    if (sent_bytes != 0) wire->feed(hello);
    outcome came = one.block_on([&]() -> task<outcome> {
      auto accepting = spawn(outcome_of(tls::accept(io::open_scripted(wire), server)));
      co_await settle();
      clock.advance(9999ms);
      co_await settle();
      BOOST_TEST(!wire->closed);
      clock.advance(2ms);  // A timer is never early, and a tick of the wheel late.
      co_await settle();
      outcome got = co_await accepting;
      co_return got;
    });
    BOOST_TEST((came.code == troupe::errc::timed_out), came.text);
    BOOST_TEST((clock.now() - began == 10s + 1ms));
    BOOST_TEST(wire->closed);
  }
}

BOOST_AUTO_TEST_CASE(a_cancelled_handshake_closes_the_stream_below) {
  auto wire = std::make_shared<io::scripted_wire>();
  event other;
  auto racing = rt.spawn([&]() -> task<std::size_t> {
    auto first = co_await select(tls::accept(io::open_scripted(wire), server), other.wait());
    co_return first.index();
  });
  other.set();
  BOOST_TEST(rt.block_on([&]() -> task<std::size_t> { co_return co_await racing; }) == 1u);
  BOOST_TEST(wire->closed);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::tls
