#include <functional>

#include <boost/test/unit_test.hpp>

#include <troupe/io/framing.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/select.hpp>
#include <troupe/task/when_all.hpp>

#include <tls/secure.hpp>

namespace troupe::tls {

namespace {

using namespace std::chrono_literals;

struct fixture {
  authority trusted;
  papers own = trusted.issue();
  context client{trusting(trusted)};
  context server{serving(own)};
  runtime rt{one_worker::config()};
  played on;

  // Runs `body` with a stream of ours, as a server, and the client that the test plays.
  void with_server(std::function<task<>(io::stream&, raw_peer&)> body, int version = 0) {
    rt.block_on([&]() -> task<> {
      raw_peer peer{raw_peer::role::client, {}, version};
      io::stream made = co_await on.accept(peer, server);
      co_await body(made, peer);
    });
  }

  void set_room(std::size_t bytes) {
    pal::lock guard{on.wire->mutex};
    on.wire->room = bytes;
  }
};

std::string pattern(std::size_t size_bytes) {
  std::string made(size_bytes, '\0');
  std::uint32_t state = 1;
  for (char& each : made) each = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return made;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(stream_, fixture)

BOOST_AUTO_TEST_CASE(a_line_reader_works_over_tls_as_over_any_stream) {
  with_server([&](io::stream& ours, raw_peer& peer) -> task<> {
    io::line_reader lines{ours, 100};
    on.wire->feed(peer.record("one\ntw"));
    on.wire->feed(peer.record("o\n"));
    on.wire->feed(peer.goodbye());
    BOOST_TEST((co_await lines.next_line()).value() == "one");
    BOOST_TEST((co_await lines.next_line()).value() == "two");
    BOOST_TEST(!(co_await lines.next_line()));
    BOOST_TEST(ours.bytes_read() == 8u);
  });
}

BOOST_AUTO_TEST_CASE(bytes_that_come_and_go_one_at_a_time_are_enough) {
  on.wire->max_chunk = 1;
  with_server([&](io::stream& ours, raw_peer& peer) -> task<> {
    on.wire->feed(peer.record("hello"));
    std::array<char, 5> buffer{};
    co_await ours.read_exactly(buffer);
    BOOST_TEST(std::string_view(buffer.data(), 5) == "hello");
    co_await ours.write_all("world");
    on.exchange(peer);
    BOOST_TEST(on.heard == "world");
  });
}

// Goal: an end is clean behind the peer's close_notify, and nowhere else.
BOOST_AUTO_TEST_CASE(a_cut_at_any_byte_is_told_from_the_end) {
  for (int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    bool is_whole = false;
    for (std::size_t cut = 0; !is_whole; ++cut) {
      on = played{};
      with_server(
          [&](io::stream& ours, raw_peer& peer) -> task<> {
            std::string first = peer.record("one"), second = peer.record("two");
            std::string sent = first + second + peer.goodbye();
            is_whole = cut == sent.size();
            on.wire->feed(sent.substr(0, cut));
            on.wire->end();
            std::string got;
            boost::system::error_code code;
            for (std::string part; !(part = co_await next_bytes(ours, code)).empty();) got += part;
            std::string expected = cut < first.size()                   ? ""
                                   : cut < first.size() + second.size() ? "one"
                                                                        : "onetwo";
            BOOST_TEST_REQUIRE(got == expected);
            BOOST_TEST_REQUIRE((is_whole ? !code.failed() : code == errc::truncated));
            boost::system::error_code again;
            BOOST_TEST((co_await next_bytes(ours, again)) == "");
            BOOST_TEST((again == code));
          },
          version);
    }
  }
}

// Goal:   a read that loses a race, with a part of a record there, has taken nothing.
BOOST_AUTO_TEST_CASE(cancel_safe_read_in_mid_record) {
  with_server([&](io::stream& ours, raw_peer& peer) -> task<> {
    std::string record = peer.record("whole");
    for (std::size_t i = 0; i < record.size(); ++i) {
      on.wire->feed(std::string_view{record}.substr(i, 1));
      if (i + 1 == record.size()) break;
      event other;
      other.set();
      std::array<char, 8> buffer{};
      auto first = co_await select(ours.read_some(buffer), other.wait());
      BOOST_TEST_REQUIRE(first.index() == 1u);
    }
    boost::system::error_code code;
    BOOST_TEST((co_await next_bytes(ours, code)) == "whole");
  });
}

// Goal:   a write that loses a race has sent nothing, also when the one before it is still on its
//         way, of which a part is out.
BOOST_AUTO_TEST_CASE(cancel_safe_write_behind_one_that_is_on_its_way) {
  with_server([&](io::stream& ours, raw_peer& peer) -> task<> {
    set_room(7);
    BOOST_TEST((co_await ours.write_some("first")) == 5u);
    for (int i = 0; i < 3; ++i) {
      event other;
      other.set();
      auto first = co_await select(ours.write_some("never"), other.wait());
      BOOST_TEST_REQUIRE(first.index() == 1u);
    }
    on.wire->make_room(1 << 20);
    co_await ours.write_all("second");
    on.exchange(peer);
    BOOST_TEST(on.heard == "firstsecond");
    BOOST_TEST(ours.bytes_written() == 11u);
  });
}

BOOST_AUTO_TEST_CASE(what_was_written_goes_out_though_nobody_uses_the_stream) {
  with_server([&](io::stream& ours, raw_peer& peer) -> task<> {
    set_room(7);
    co_await ours.write_all("hello");
    for (int i = 0; i < 100 && on.heard.empty(); ++i) {
      co_await settle();
      on.exchange(peer);
      on.wire->make_room(1);
    }
    BOOST_TEST(on.heard == "hello");
  });
}

BOOST_AUTO_TEST_CASE(a_stream_that_is_closed_sends_what_was_written_and_its_end) {
  with_server([&](io::stream& ours, raw_peer& peer) -> task<> {
    set_room(7);
    co_await ours.write_all("hello");
    ours.close();
    BOOST_TEST(!on.wire->closed);
    for (int i = 0; i < 100 && !on.wire->closed; ++i) {
      co_await settle();
      on.exchange(peer);
      on.wire->make_room(1);
    }
    on.exchange(peer);
    BOOST_TEST(on.wire->closed);
    BOOST_TEST(on.heard == "hello");
    BOOST_TEST(peer.heard_goodbye());
  });
}

BOOST_AUTO_TEST_CASE(a_peer_that_does_not_read_holds_a_closed_stream_for_two_seconds) {
  pal::virtual_clock clock;
  runtime one{one_worker::config(&clock)};
  one.block_on([&]() -> task<> {
    raw_peer peer{raw_peer::role::client};
    io::stream ours = co_await on.accept(peer, server);
    set_room(7);
    co_await ours.write_all("hello");
    ours.close();
    co_await settle();
    clock.advance(1999ms);
    co_await settle();
    BOOST_TEST(!on.wire->closed);
    clock.advance(2ms);  // A timer is never early, and a tick of the wheel late.
    co_await settle();
    BOOST_TEST(on.wire->closed);
  });
}

BOOST_AUTO_TEST_CASE(closing_is_an_end_but_for_a_write_that_was_cut_short) {
  with_server([&](io::stream& ours, raw_peer& peer) -> task<> {
    co_await ours.write_all("hello");
    ours.close();
    on.exchange(peer);
    BOOST_TEST(peer.heard_goodbye());
  });
  on = played{};
  with_server([&](io::stream& ours, raw_peer& peer) -> task<> {
    set_room(20'000);
    std::string much = pattern(100'000);
    auto writing = spawn([&]() -> task<> { co_await ours.write_all(much); });
    co_await settle();
    co_await writing.cancel();
    auto later = co_await ours.write_some("more").as_result();
    BOOST_TEST((later.has_error() && later.error() == troupe::errc::closed));
    ours.close();
    on.wire->make_room(1 << 20);
    co_await settle();
    on.exchange(peer);
    BOOST_TEST(on.wire->closed);
    BOOST_TEST(!on.heard.empty());
    BOOST_TEST(!peer.heard_goodbye());
  });
}

BOOST_AUTO_TEST_CASE(a_direction_that_was_shut_down_leaves_the_other_one) {
  net::two_workers two;
  two.rt.block_on([&]() -> task<> {
    secure_connection both = co_await secure_pair(client, server);
    co_await both.client.write_all("question");
    co_await both.client.shutdown();
    std::string asked = co_await both.server.read_to_end(100);
    BOOST_TEST(asked == "question");
    co_await both.server.write_all("answer");
    co_await both.server.shutdown();
    BOOST_TEST((co_await both.client.read_to_end(100)) == "answer");
    auto late = co_await both.client.write_some("more").as_result();
    BOOST_TEST((late.has_error() && late.error() == boost::system::errc::broken_pipe));
  });
}

BOOST_AUTO_TEST_CASE(megabytes_go_both_ways_at_once_on_two_workers) {
  constexpr std::size_t total_bytes = 8 << 20;
  net::two_workers two;
  std::string sent = pattern(total_bytes);
  auto write = [&](io::stream& to) -> task<> {
    co_await to.write_all(sent);
    co_await to.shutdown();
  };
  // Checked by the one task below: Boost.Test has no locks.
  auto read = [&](io::stream& from, bool& is_right) -> task<> {
    std::string got = co_await from.read_to_end(total_bytes);
    is_right = got == sent;
  };
  two.rt.block_on([&]() -> task<> {
    secure_connection both = co_await secure_pair(client, server);
    bool client_is_right = false, server_is_right = false;
    co_await when_all(write(both.client), read(both.server, server_is_right), write(both.server),
                      read(both.client, client_is_right));
    BOOST_TEST(client_is_right);
    BOOST_TEST(server_is_right);
  });
}

BOOST_AUTO_TEST_CASE(renegotiation_is_refused_and_data_goes_on_until_then) {
  with_server(
      [&](io::stream& ours, raw_peer& peer) -> task<> {
        on.wire->feed(peer.record("before"));
        SSL_renegotiate(peer.ssl());
        SSL_do_handshake(peer.ssl());
        on.wire->feed(peer.give());
        boost::system::error_code code;
        BOOST_TEST((co_await next_bytes(ours, code)) == "before");
        auto reading = spawn([&]() -> task<std::string> {
          std::string got = co_await next_bytes(ours, code);
          co_return got;
        });
        co_await settle();
        ERR_clear_error();
        on.exchange(peer);
        on.wire->end();
        co_await reading;
        BOOST_TEST(code.failed());
        BOOST_TEST(SSL_get_error(peer.ssl(), -1) != SSL_ERROR_NONE);
        BOOST_TEST(!peer.is_established());  // Its wish was not granted.
      },
      TLS1_2_VERSION);
}

BOOST_AUTO_TEST_CASE(new_keys_are_given_to_a_peer_that_asks_for_them) {
  with_server([&](io::stream& ours, raw_peer& peer) -> task<> {
    for (int i = 0; i < 3; ++i) {
      SSL_key_update(peer.ssl(), SSL_KEY_UPDATE_REQUESTED);
      on.wire->feed(peer.record("x"));
      boost::system::error_code code;
      BOOST_TEST((co_await next_bytes(ours, code)) == "x");
      co_await ours.write_all("y");
      on.exchange(peer);
    }
    BOOST_TEST(on.heard == "yyy");
  });
}

BOOST_AUTO_TEST_CASE(key_updates_without_end_are_refused) {
  with_server([&](io::stream& ours, raw_peer& peer) -> task<> {
    boost::system::error_code code;
    std::string got;
    auto reading = spawn([&]() -> task<> { got = co_await next_bytes(ours, code); });
    for (int i = 0; i < 100'000 && !code.failed(); ++i) {
      SSL_key_update(peer.ssl(), SSL_KEY_UPDATE_NOT_REQUESTED);
      SSL_do_handshake(peer.ssl());
      on.wire->feed(peer.give());
      co_await yield();
    }
    co_await reading;
    BOOST_TEST((code == errc::protocol));
  });
}

// Goal: a reader whose answers find no room does not pile them up, and goes on when there is room.
BOOST_AUTO_TEST_CASE(a_peer_that_asks_for_keys_and_reads_none_is_not_served_without_bound) {
  with_server([&](io::stream& ours, raw_peer& peer) -> task<> {
    set_room(0);
    boost::system::error_code code;
    std::string got;
    auto reading = spawn([&]() -> task<> { got = co_await next_bytes(ours, code); });
    std::size_t fed_bytes = 0;
    for (int i = 0; i < 6000; ++i) {
      SSL_key_update(peer.ssl(), SSL_KEY_UPDATE_REQUESTED);
      SSL_do_handshake(peer.ssl());
      std::string request = peer.give();
      fed_bytes += request.size();
      on.wire->feed(request);
      co_await yield();
    }
    BOOST_TEST(!on.wire->incoming.empty());  // It has stopped reading.
    on.wire->feed(peer.record("end"));
    on.wire->make_room(1 << 20);
    co_await reading;
    BOOST_TEST(got == "end");
    BOOST_TEST(fed_bytes < (1u << 20));
  });
}

// Goal:   a message of the handshake that comes in pieces, between which we write.
// Method: a ticket holds our certificate, and so is longer than the records that the peer makes.
BOOST_AUTO_TEST_CASE(a_write_waits_for_the_reader_while_a_message_of_the_handshake_is_unfinished) {
  client_config known = trusting(trusted);
  known.self = identity_of(trusted.issue_to("client.test"));
  context with{known};
  rt.block_on([&]() -> task<> {
    raw_peer peer{raw_peer::role::server, own};
    SSL_set_verify(peer.ssl(), SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
    SSL_set_num_tickets(peer.ssl(), 0);
    io::stream ours = co_await on.connect(peer, with);
    SSL_set_max_send_fragment(peer.ssl(), 512);
    SSL_new_session_ticket(peer.ssl());
    std::string ticket = peer.record("data");
    std::size_t first_bytes =
        5 + 256 * static_cast<unsigned char>(ticket[3]) + static_cast<unsigned char>(ticket[4]);
    BOOST_REQUIRE(first_bytes < ticket.size() - 40);
    on.wire->feed(ticket.substr(0, first_bytes));
    boost::system::error_code code;
    std::string got;
    auto reading = spawn([&]() -> task<> { got = co_await next_bytes(ours, code); });
    co_await settle();
    bool has_written = false;
    auto writing = spawn([&]() -> task<> {
      co_await ours.write_all("written");
      has_written = true;
    });
    co_await settle();
    BOOST_TEST(!has_written);
    on.wire->feed(ticket.substr(first_bytes));
    co_await reading;
    co_await writing;
    BOOST_TEST(got == "data");
    on.exchange(peer);
    BOOST_TEST(on.heard == "written");
  });
}

BOOST_AUTO_TEST_CASE(an_error_of_the_stream_below_keeps_its_code) {
  with_server([&](io::stream& ours, raw_peer&) -> task<> {
    boost::system::error_code reset = make_error_code(boost::system::errc::connection_reset);
    {
      pal::lock guard{on.wire->mutex};
      on.wire->error = reset;
    }
    boost::system::error_code code;
    co_await next_bytes(ours, code);
    BOOST_TEST((code == reset));
    auto written = co_await ours.write_some("x").as_result();
    BOOST_TEST((written.has_error() && written.error() == reset));
  });
}

BOOST_AUTO_TEST_CASE(a_forged_record_ends_both_directions) {
  with_server([&](io::stream& ours, raw_peer& peer) -> task<> {
    std::string record = peer.record("hello");
    record.back() = static_cast<char>(record.back() ^ 1);
    on.wire->feed(record);
    boost::system::error_code code;
    co_await next_bytes(ours, code);
    BOOST_TEST((code == errc::protocol));
    auto written = co_await ours.write_some("x").as_result();
    BOOST_TEST((written.has_error() && written.error() == errc::protocol));
  });
}

BOOST_AUTO_TEST_CASE(tls_goes_over_tls) {
  rt.block_on([&]() -> task<> {
    secure_connection outer = co_await secure_pair(client, server);
    auto accepting = spawn(outcome_of(tls::accept(std::move(outer.server), server)));
    io::stream inner = co_await tls::connect(std::move(outer.client), client, "server.test");
    outcome accepted = co_await accepting;
    secure_connection both{std::move(inner), std::move(*accepted.made)};
    co_await check_talk(both);
    co_await both.client.shutdown();
    BOOST_TEST((co_await both.server.read_to_end(10)) == "");
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::tls
