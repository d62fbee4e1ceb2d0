#include <array>
#include <stdexcept>
#include <string>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>
#include <boost/test/unit_test.hpp>

#include <troupe/io/framing.hpp>
#include <troupe/net/tcp.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/select.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/yield.hpp>

#include <net/connected.hpp>

namespace troupe::net {

namespace {

task<> echo(io::stream peer) {
  std::array<char, 4096> buffer{};
  while (std::size_t count = co_await peer.read_some(buffer)) {
    co_await peer.write_all(std::string_view{buffer.data(), count});
  }
}

// Serves every connection with echo() until the listener ends.
task<> echo_all(io::listener& listener) {
  for (;;) {
    io::stream peer = co_await listener.accept();
    spawn(echo, std::move(peer));
  }
}

template <class F>
std::string error_text_of(runtime& rt, F f) {
  try {
    rt.block_on(f);
  } catch (const system_error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(tcp_, two_workers)

BOOST_AUTO_TEST_CASE(what_one_end_writes_the_other_reads_and_back) {
  auto round_trip = []() -> task<std::string> {
    connection ends = co_await connect_pair();
    spawn(echo, std::move(ends.far));
    co_await ends.near.write_all("hello");
    std::array<char, 5> buffer{};
    co_await ends.near.read_exactly(buffer);
    co_return std::string{buffer.data(), buffer.size()};
  };
  BOOST_TEST(rt.block_on(round_trip) == "hello");
}

BOOST_AUTO_TEST_CASE(after_a_half_close_the_other_direction_goes_on) {
  auto half_close = []() -> task<std::string> {
    connection ends = co_await connect_pair();
    co_await ends.near.write_all("question");
    co_await ends.near.shutdown();
    std::string asked = co_await ends.far.read_to_end(100);
    co_await ends.far.write_all(asked + ", answer");
    ends.far.close();
    co_return co_await ends.near.read_to_end(100);
  };
  BOOST_TEST(rt.block_on(half_close) == "question, answer");
}

BOOST_AUTO_TEST_CASE(addresses_are_text_and_those_of_both_ends_agree) {
  auto addresses = []() -> task<bool> {
    io::listener listener = tcp_listen("127.0.0.1", 0);
    io::stream near = co_await tcp_connect("localhost", listener.port());
    io::stream far = co_await listener.accept();
    co_return listener.local_address() == "127.0.0.1:" + std::to_string(listener.port()) &&
        near.peer_address() == listener.local_address() &&
        far.local_address() == listener.local_address() &&
        far.peer_address() == near.local_address();
  };
  BOOST_TEST(rt.block_on(addresses));
}

BOOST_AUTO_TEST_CASE(read_exactly_collects_writes_of_one_byte) {
  auto one_by_one = []() -> task<std::string> {
    connection ends = co_await connect_pair();
    std::string sent;
    for (int i = 0; i < 1000; ++i) sent.push_back(static_cast<char>('a' + i % 26));
    auto writing = spawn([&ends, &sent]() -> task<> {
      for (char byte : sent) co_await ends.near.write_all(std::string_view{&byte, 1});
    });
    std::string got(sent.size(), ' ');
    co_await ends.far.read_exactly(got);
    co_await writing;
    co_return got == sent ? std::string{"the same"} : got;
  };
  BOOST_TEST(rt.block_on(one_by_one) == "the same");
}

BOOST_AUTO_TEST_CASE(a_hundred_megabytes_pass_and_are_counted) {
  auto stream_all = []() -> task<std::uint64_t> {
    connection ends = co_await connect_pair();
    auto writing = spawn([&ends]() -> task<> {
      std::string megabyte(1'000'000, 'x');
      for (int i = 0; i < 100; ++i) co_await ends.near.write_all(megabyte);
      ends.near.close();
    });
    std::uint64_t total = co_await ends.far.discard_to_end();
    co_await writing;
    co_return total;
  };
  BOOST_TEST(rt.block_on(stream_all) == 100'000'000u);
}

BOOST_AUTO_TEST_CASE(both_directions_are_full_at_the_same_time) {
  auto exchange = []() -> task<bool> {
    connection ends = co_await connect_pair();
    std::string mine(20'000'000, 'm'), yours(20'000'000, 'y');
    auto write_mine = spawn([&]() -> task<> {
      co_await ends.near.write_all(mine);
      co_await ends.near.shutdown();
    });
    auto write_yours = spawn([&]() -> task<> {
      co_await ends.far.write_all(yours);
      co_await ends.far.shutdown();
    });
    auto read_mine =
        spawn([&]() -> task<std::string> { co_return co_await ends.far.read_to_end(20'000'000); });
    std::string got_yours = co_await ends.near.read_to_end(20'000'000);
    std::string got_mine = co_await read_mine;
    co_await write_mine;
    co_await write_yours;
    co_return got_mine == mine&& got_yours == yours;
  };
  BOOST_TEST(rt.block_on(exchange));
}

BOOST_AUTO_TEST_CASE(a_reset_in_mid_write_is_an_error_of_the_writer) {
  auto reset = []() -> task<std::string> {
    connection ends = co_await connect_pair();
    event writing_began;
    auto writing = spawn([&]() -> task<> {
      std::string much(50'000'000, 'x');
      writing_began.set();
      co_await ends.near.write_all(much);
    });
    co_await writing_began.wait();
    std::array<char, 100> some{};
    co_await ends.far.read_exactly(some);
    ends.far.close();  // With unread bytes: a reset.
    try {
      co_await writing;
    } catch (const system_error& error) {
      bool is_reset = error.code() == boost::system::errc::connection_reset ||
                      error.code() == boost::system::errc::broken_pipe;
      co_return is_reset ? std::string{"reset"} : error.what();
    }
    co_return "no error";
  };
  BOOST_TEST(rt.block_on(reset) == "reset");
}

// Goal:   a read that loses a race to an event loses no byte.
// Method: a stream of numbered bytes is read by a task whose every read races an event that is set
//         again and again; what arrives must still be all of them, in order.
BOOST_AUTO_TEST_CASE(cancel_safe_read_some) {
  auto race = []() -> task<bool> {
    connection ends = co_await connect_pair();
    std::string sent;
    for (int i = 0; i < 200'000; ++i) sent.push_back(static_cast<char>(i % 251));
    event tick;
    auto writing = spawn([&]() -> task<> {
      for (std::size_t at = 0; at < sent.size(); at += 100) {
        co_await ends.near.write_all(std::string_view{sent}.substr(at, 100));
        tick.set();
        co_await yield();
      }
      ends.near.close();
    });
    std::string got;
    std::array<char, 64> buffer{};
    for (bool open = true; open;) {
      auto first = co_await select(ends.far.read_some(buffer), tick.wait());
      if (first.index() == 1) {
        tick.reset();
        continue;
      }
      std::size_t count = std::get<0>(first);
      got.append(buffer.data(), count);
      open = count != 0;
    }
    co_await writing;
    co_return got == sent;
  };
  BOOST_TEST(rt.block_on(race));
}

BOOST_AUTO_TEST_CASE(cancel_safe_accept) {
  auto race = []() -> task<int> {
    io::listener listener = tcp_listen("127.0.0.1", 0);
    constexpr int count = 200;
    event tick;
    auto connecting = spawn([&]() -> task<> {
      for (int i = 0; i < count; ++i) {
        io::stream peer = co_await tcp_connect("127.0.0.1", listener.port());
        co_await peer.write_all("x");
        tick.set();
      }
    });
    int accepted = 0;
    while (accepted < count) {
      auto first = co_await select(listener.accept(), tick.wait());
      if (first.index() == 1) {
        tick.reset();
        continue;
      }
      io::stream peer = std::move(std::get<0>(first));
      accepted += static_cast<int>(co_await peer.discard_to_end());
    }
    co_await connecting;
    co_return accepted;
  };
  BOOST_TEST(rt.block_on(race) == 200);
}

BOOST_AUTO_TEST_CASE(the_end_of_a_listener_leaves_its_connections_open) {
  auto close_listener = []() -> task<std::string> {
    io::listener listener = tcp_listen("127.0.0.1", 0);
    auto serving = spawn([&listener]() -> task<> { co_await echo_all(listener); });
    io::stream peer = co_await tcp_connect("127.0.0.1", listener.port());
    co_await peer.write_all("a");
    std::array<char, 1> buffer{};
    co_await peer.read_exactly(buffer);
    co_await serving.cancel();
    std::uint16_t port = listener.port();
    listener.close();
    co_await peer.write_all("b");
    co_await peer.read_exactly(buffer);
    std::string refused;
    try {
      io::stream late = co_await tcp_connect("127.0.0.1", port);
      refused = "connected";
    } catch (const system_error& error) {
      refused = error.what();
    }
    co_return buffer[0] + refused.substr(0, 27);
  };
  BOOST_TEST(rt.block_on(close_listener) == "bcannot connect to 127.0.0.1");
}

BOOST_AUTO_TEST_CASE(many_connections_are_served_at_once) {
  auto serve_all = []() -> task<int> {
    io::listener listener = tcp_listen("127.0.0.1", 0);
    auto serving = spawn([&listener]() -> task<> { co_await echo_all(listener); });
    std::vector<join_handle<int>> clients;
    for (int i = 0; i < 100; ++i) {
      clients.push_back(spawn([i, port = listener.port()]() -> task<int> {
        io::stream peer = co_await tcp_connect("127.0.0.1", port);
        std::string message = "message of client " + std::to_string(i);
        std::string answer(message.size(), ' ');
        int right = 0;
        for (int round = 0; round < 50; ++round) {
          co_await peer.write_all(message);
          co_await peer.read_exactly(answer);
          right += answer == message;
        }
        co_return right;
      }));
    }
    int right = 0;
    for (auto& client : clients) right += co_await client;
    co_await serving.cancel();
    co_return right;
  };
  BOOST_TEST(rt.block_on(serve_all) == 5000);
}

BOOST_AUTO_TEST_CASE(a_line_protocol_answers_requests_that_come_in_one_packet) {
  auto serve_lines = []() -> task<std::string> {
    connection ends = co_await connect_pair();
    auto serving = spawn([&ends]() -> task<> {
      io::line_reader lines{ends.far, 100};
      for (;;) {
        auto line = co_await lines.next_line();
        if (!line) break;
        co_await ends.far.write_all("<" + *line + ">");
      }
      ends.far.close();
    });
    co_await ends.near.write_all("one\r\ntwo\nthree");
    co_await ends.near.shutdown();
    std::string answers = co_await ends.near.read_to_end(1000);
    co_await serving;
    co_return answers;
  };
  BOOST_TEST(rt.block_on(serve_lines) == "<one><two><three>");
}

BOOST_AUTO_TEST_CASE(a_port_in_use_is_named_in_the_error) {
  auto listen_twice = []() -> task<std::string> {
    io::listener first = tcp_listen("127.0.0.1", 0);
    std::string expected = "cannot listen on " + first.local_address() + ": Address already in use";
    try {
      io::listener second = tcp_listen("127.0.0.1", first.port());
    } catch (const system_error& error) {
      co_return std::string{error.what()}.starts_with(expected) ? "named" : error.what();
    }
    co_return "no error";
  };
  BOOST_TEST(rt.block_on(listen_twice) == "named");
}

BOOST_AUTO_TEST_CASE(an_address_that_is_none_is_named_in_the_error) {
  auto listen = []() -> task<> {
    io::listener listener = tcp_listen("not an address", 80);
    co_return;
  };
  BOOST_TEST(error_text_of(rt, listen).starts_with("cannot listen on not an address:80: "));
  auto connect = []() -> task<> { io::stream peer = co_await tcp_connect("::x", 80); };
  BOOST_TEST(error_text_of(rt, connect).starts_with("cannot connect to [::x]:80: "));
}

BOOST_AUTO_TEST_CASE(a_stop_ends_a_connect_that_gets_no_answer) {
  auto give_up = []() -> task<bool> {
    // Nobody accepts, and the queue is full: later connects are not answered.
    tcp_listen_options one;
    one.backlog_count = 0;
    io::listener listener = tcp_listen("127.0.0.1", 0, one);
    io::stream first = co_await tcp_connect("127.0.0.1", listener.port());
    auto second = spawn([&]() -> task<> {
      std::vector<io::stream> more;
      for (;;) more.push_back(co_await tcp_connect("127.0.0.1", listener.port()));
    });
    for (int i = 0; i < 1000; ++i) co_await yield();
    co_await second.cancel();
    co_return true;
  };
  BOOST_TEST(rt.block_on(give_up));
}

BOOST_AUTO_TEST_CASE(a_graceful_stop_ends_accept_at_once_and_lets_connections_finish) {
  event accepting;
  std::string ended;
  rt.spawn([&]() -> task<> {
      io::listener listener = tcp_listen("127.0.0.1", 0);
      spawn([&ended, port = listener.port()]() -> task<> {
        io::stream peer = co_await tcp_connect("127.0.0.1", port);
        ended += co_await peer.read_to_end(100);
      });
      io::stream last = co_await listener.accept();
      accepting.set();
      try {
        io::stream never = co_await listener.accept();
      } catch (const canceled&) {
        ended += "intake ended, ";
      }
      co_await last.write_all("connection finished");
    }).detach();
  auto wait = [&]() -> task<> { co_await accepting.wait(); };
  rt.block_on(wait);
  auto survivors = rt.shut_down(std::chrono::seconds{30});
  BOOST_TEST(survivors.empty());
  BOOST_TEST(ended == "intake ended, connection finished");
}

BOOST_AUTO_TEST_CASE(a_stream_that_outlives_its_runtime_is_harmless) {
  auto first = std::make_unique<runtime>(config());
  auto open = []() -> task<io::stream> {
    connection ends = co_await connect_pair();
    // The read loses, and leaves a wait armed in the reactor.
    std::array<char, 1> buffer{};
    event other;
    auto setting = spawn([&other] { other.set(); });
    co_await select(other.wait(), ends.near.read_some(buffer));
    co_await setting;
    co_return std::move(ends.near);
  };
  io::stream left = first->block_on(open);
  first.reset();
  BOOST_TEST(left.is_open());
}

// Goal:   without descriptors the listener tells peers by closing, does not spin, and recovers.
// Method: connections wait to be accepted while the process may open no descriptor more. Each error
//         comes with one closed connection and is followed by a pause of 1, 2, 4, ... ms, never
//         less.
BOOST_AUTO_TEST_CASE(without_descriptors_it_refuses_slowly_and_recovers) {
  rlimit before{};
  BOOST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  runtime_config one;
  one.workers = 1;
  runtime single{one};
  auto exhaust = [&]() -> task<> {
    io::listener listener = tcp_listen("127.0.0.1", 0);
    std::vector<io::stream> clients;
    auto connecting = spawn([&]() -> task<> {
      for (int i = 0; i < 7; ++i) {
        clients.push_back(co_await tcp_connect("127.0.0.1", listener.port()));
      }
    });
    time_point began{};
    for (std::size_t i = 0; i < 6; ++i) {
      auto outcome = co_await listener.accept().as_result();
      BOOST_TEST(outcome.has_error() == (i != 0));
      if (i == 0) {
        outcome->close();
        co_await connecting;
        int lowest_free = ::dup(0);
        ::close(lowest_free);
        rlimit tight = before;
        tight.rlim_cur = static_cast<rlim_t>(lowest_free);
        BOOST_TEST(::setrlimit(RLIMIT_NOFILE, &tight) == 0);
        began = now();
      } else {
        BOOST_TEST((outcome.error() == boost::system::errc::too_many_files_open));
      }
      BOOST_TEST(co_await clients[i].discard_to_end() == 0u);
    }
    BOOST_TEST((now() - began >= std::chrono::milliseconds{1 + 2 + 4 + 8}));

    BOOST_TEST(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    io::stream accepted = co_await listener.accept();
    BOOST_TEST(accepted.peer_address() == clients.back().local_address());
  };
  single.block_on(exhaust);
  ::setrlimit(RLIMIT_NOFILE, &before);
}

BOOST_AUTO_TEST_CASE(outside_a_runtime_is_a_misuse) {
  misuse_handler before =
      set_misuse_handler([](const char* text) { throw std::logic_error{text}; });
  BOOST_CHECK_EXCEPTION(
      (void)tcp_listen("127.0.0.1", 0), std::logic_error, [](const std::logic_error& error) {
        return std::string_view{error.what()}.find("a net function was called outside a runtime") !=
               std::string_view::npos;
      });
  set_misuse_handler(before);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::net
