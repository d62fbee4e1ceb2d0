#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <boost/test/unit_test.hpp>

#include <troupe/net/tcp.hpp>
#include <troupe/net/unix.hpp>
#include <troupe/pal/clock.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/spawn.hpp>

#include <error_of.hpp>
#include <net/connected.hpp>
#include <net/limited_fds.hpp>
#include <net/temp_dir.hpp>
#include <thrown_misuse.hpp>

namespace troupe::net {

namespace {

struct in_a_folder : two_workers {
  test::temp_dir folder;
  std::string path = folder.at("socket");
};

task<> echo(io::stream peer) {
  std::array<char, 4096> buffer{};
  while (std::size_t count = co_await peer.read_some(buffer)) {
    co_await peer.write_all(std::string_view{buffer.data(), count});
  }
}

task<std::string> ask(io::stream& peer, std::string text) {
  co_await peer.write_all(text);
  std::string answer(text.size(), ' ');
  co_await peer.read_exactly(answer);
  co_return answer;
}

// What listening at `path` fails with; empty when it does not.
std::string error_of_listen(const std::string& path) {
  return test::error_of([&] { io::listener listener = unix_listen(path); });
}

// Leaves a socket file behind as a process that was killed does.
void leave_stale_socket(const std::string& path) {
  int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path.copy(name.sun_path, sizeof name.sun_path - 1);
  BOOST_TEST(::bind(fd, reinterpret_cast<sockaddr*>(&name), sizeof name) == 0);
  ::close(fd);
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(unix_, in_a_folder)

BOOST_AUTO_TEST_CASE(what_one_end_writes_the_other_reads_and_back) {
  auto round_trip = [&]() -> task<std::string> {
    io::listener listener = unix_listen(path);
    io::stream near = co_await unix_connect(path);
    spawn(echo, co_await listener.accept());
    co_return co_await ask(near, "hello");
  };
  BOOST_TEST(rt.block_on(round_trip) == "hello");
}

BOOST_AUTO_TEST_CASE(addresses_are_the_path_and_clients_have_none) {
  auto addresses = [&]() -> task<std::string> {
    io::listener listener = unix_listen(path);
    io::stream near = co_await unix_connect(path);
    io::stream far = co_await listener.accept();
    BOOST_TEST(listener.port() == 0u);
    BOOST_TEST(listener.local_address() == path);
    BOOST_TEST(near.peer_address() == path);
    BOOST_TEST(far.local_address() == path);
    co_return near.local_address() + far.peer_address();
  };
  BOOST_TEST(rt.block_on(addresses) == "");
}

BOOST_AUTO_TEST_CASE(the_file_is_removed_at_the_end_and_has_the_wanted_mode) {
  auto listen = [&]() -> task<mode_t> {
    unix_listen_options only_us;
    only_us.mode = 0600;
    io::listener listener = unix_listen(path, only_us);
    struct stat seen{};
    BOOST_TEST(::stat(path.c_str(), &seen) == 0);
    listener.close();
    co_return seen.st_mode & 0777;
  };
  BOOST_TEST(rt.block_on(listen) == 0600u);
  BOOST_TEST(folder.entry_count() == 0u);
}

BOOST_AUTO_TEST_CASE(a_file_where_nobody_answers_is_replaced) {
  leave_stale_socket(path);
  auto replace = [&]() -> task<std::string> {
    io::listener listener = unix_listen(path);
    io::stream near = co_await unix_connect(path);
    spawn(echo, co_await listener.accept());
    co_return co_await ask(near, "replaced");
  };
  BOOST_TEST(rt.block_on(replace) == "replaced");
}

BOOST_AUTO_TEST_CASE(a_stale_file_stays_where_that_is_asked_for) {
  leave_stale_socket(path);
  auto listen = [&]() -> task<bool> {
    unix_listen_options careful;
    careful.replaces_stale = false;
    try {
      io::listener listener = unix_listen(path, careful);
    } catch (const system_error& error) {
      co_return error.code() == boost::system::errc::address_in_use;
    }
    co_return false;
  };
  BOOST_TEST(rt.block_on(listen));
  BOOST_TEST(folder.entry_count() == 1u);
}

BOOST_AUTO_TEST_CASE(a_listener_that_answers_is_never_replaced) {
  auto listen_twice = [&]() -> task<std::string> {
    io::listener first = unix_listen(path);
    std::string error = error_of_listen(path);
    BOOST_TEST(error.starts_with("cannot listen on " + path + ": Address already in use"));
    // The first one is also there for the connection with which the second one looked.
    io::stream probe = co_await first.accept();
    BOOST_TEST(co_await probe.discard_to_end() == 0u);
    io::stream near = co_await unix_connect(path);
    spawn(echo, co_await first.accept());
    co_return co_await ask(near, "still here");
  };
  BOOST_TEST(rt.block_on(listen_twice) == "still here");
}

BOOST_AUTO_TEST_CASE(what_is_no_socket_is_never_replaced) {
  std::ofstream{path} << "precious";
  auto listen = [&]() -> task<std::string> { co_return error_of_listen(path); };
  BOOST_TEST(rt.block_on(listen).find("Address already in use") != std::string::npos);
  std::string left;
  std::ifstream{path} >> left;
  BOOST_TEST(left == "precious");
}

BOOST_AUTO_TEST_CASE(a_listener_leaves_the_file_of_its_successor_alone) {
  auto succeed = [&]() -> task<std::string> {
    io::listener first = unix_listen(path);
    std::filesystem::remove(path);
    io::listener second = unix_listen(path);
    first.close();
    io::stream near = co_await unix_connect(path);
    spawn(echo, co_await second.accept());
    co_return co_await ask(near, "second");
  };
  BOOST_TEST(rt.block_on(succeed) == "second");
}

BOOST_AUTO_TEST_CASE(an_abstract_name_needs_no_file) {
  auto abstract = [&]() -> task<std::string> {
    std::string name = "@troupe-test-" + std::to_string(::getpid());
    io::listener listener = unix_listen(name);
    BOOST_TEST(listener.local_address() == name);
    BOOST_TEST(error_of_listen(name).find("Address already in use") != std::string::npos);
    io::stream near = co_await unix_connect(name);
    spawn(echo, co_await listener.accept());
    co_return co_await ask(near, "no file");
  };
  BOOST_TEST(rt.block_on(abstract) == "no file");
  BOOST_TEST(folder.entry_count() == 0u);
}

BOOST_AUTO_TEST_CASE(errors_name_the_path) {
  auto attempt = [&]() -> task<> {
    BOOST_TEST(error_of_listen(folder.at("no/such/folder")).starts_with("cannot listen on "));
    BOOST_TEST(error_of_listen(std::string(108, 'x')).find("File name too long") !=
               std::string::npos);
    BOOST_TEST(error_of_listen("").starts_with("cannot listen on "));
    try {
      io::stream none = co_await unix_connect(path);
      BOOST_TEST(false);
    } catch (const system_error& error) {
      std::string text = error.what();
      BOOST_TEST(text.starts_with("cannot connect to " + path + ": No such file"));
    }
  };
  rt.block_on(attempt);
}

BOOST_AUTO_TEST_CASE(the_longest_path_works) {
  std::string longest = folder.at("x");
  longest.append(107 - longest.size(), 'x');
  auto connect = [&]() -> task<std::string> {
    io::listener listener = unix_listen(longest);
    io::stream near = co_await unix_connect(longest);
    co_return near.peer_address();
  };
  BOOST_TEST(rt.block_on(connect) == longest);
}

BOOST_AUTO_TEST_CASE(both_ends_of_a_pair_talk) {
  auto talk = []() -> task<std::string> {
    auto ends = stream_pair();
    spawn(echo, std::move(ends.second));
    co_return co_await ask(ends.first, "pair");
  };
  BOOST_TEST(rt.block_on(talk) == "pair");
}

BOOST_AUTO_TEST_CASE(the_peer_is_known_by_process_and_user) {
  auto look = [&]() -> task<bool> {
    io::listener listener = unix_listen(path);
    io::stream near = co_await unix_connect(path);
    io::stream far = co_await listener.accept();
    peer_credentials seen = credentials_of_peer(far).value();
    connection tcp = co_await connect_pair();
    BOOST_TEST(credentials_of_peer(tcp.near).has_error());
    co_return seen.process == ::getpid() && seen.user == ::geteuid() && seen.group == ::getegid();
  };
  BOOST_TEST(rt.block_on(look));
}

// Goal:   a connect that finds the queue full goes on when there is room, and can be stopped.
// Method: a queue of one, which the first client fills. The clock jumps over the pauses between the
//         attempts.
BOOST_AUTO_TEST_CASE(a_connect_waits_while_the_queue_is_full) {
  pal::virtual_clock clock;
  runtime_config one;
  one.workers = 1;
  one.clock = &clock;
  runtime single{one};
  auto crowd = [&]() -> task<int> {
    unix_listen_options smallest;
    smallest.backlog_count = 0;
    io::listener listener = unix_listen(path, smallest);
    io::stream first = co_await unix_connect(path);
    auto stopped = spawn([&]() -> task<> { io::stream never = co_await unix_connect(path); });
    co_await sleep_for(std::chrono::seconds{5});
    BOOST_TEST(!stopped.done());
    co_await stopped.cancel();
    std::vector<join_handle<io::stream>> clients;
    for (int i = 0; i < 20; ++i) {
      clients.push_back(
          spawn([&]() -> task<io::stream> { co_return co_await unix_connect(path); }));
    }
    std::vector<io::stream> accepted, connected;
    for (int i = 0; i < 21; ++i) {
      co_await sleep_for(std::chrono::seconds{1});
      accepted.push_back(co_await listener.accept());
    }
    for (auto& each : clients) connected.push_back(co_await each);
    co_return static_cast<int>(connected.size());
  };
  BOOST_TEST(single.block_on(crowd) == 20);
}

BOOST_AUTO_TEST_CASE(many_connections_are_served_at_once) {
  auto serve_all = [&]() -> task<int> {
    io::listener listener = unix_listen(path);
    auto serving = spawn([&listener]() -> task<> {
      for (;;) {
        io::stream peer = co_await listener.accept();
        spawn(echo, std::move(peer));
      }
    });
    std::vector<join_handle<int>> clients;
    for (int i = 0; i < 100; ++i) {
      clients.push_back(spawn([&, i]() -> task<int> {
        io::stream peer = co_await unix_connect(path);
        std::string message = "message of client " + std::to_string(i);
        int right = 0;
        for (int round = 0; round < 20; ++round) {
          std::string answer = co_await ask(peer, message);
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
  BOOST_TEST(rt.block_on(serve_all) == 2000);
}

BOOST_AUTO_TEST_CASE(without_descriptors_it_fails_and_leaves_no_file) {
  auto exhaust = [&]() -> task<> {
    test::no_more_fds full;
    BOOST_TEST(error_of_listen(path).find("Too many open files") != std::string::npos);
    BOOST_CHECK_THROW((void)stream_pair(), system_error);
    co_return;
  };
  rt.block_on(exhaust);
  BOOST_TEST(folder.entry_count() == 0u);
}

BOOST_AUTO_TEST_CASE(the_end_of_the_runtime_removes_the_file_of_who_still_accepts) {
  event accepting;
  auto ending = std::make_unique<runtime>(config());
  ending
      ->spawn([&]() -> task<> {
        io::listener listener = unix_listen(path);
        accepting.set();
        io::stream never = co_await listener.accept();
      })
      .detach();
  auto wait = [&]() -> task<> { co_await accepting.wait(); };
  ending->block_on(wait);
  BOOST_TEST(folder.entry_count() == 1u);
  ending.reset();
  BOOST_TEST(folder.entry_count() == 0u);
}

BOOST_AUTO_TEST_CASE(without_a_network_or_a_runtime_it_is_a_misuse) {
  runtime_config config;
  config.workers = 1;
  config.network = false;
  runtime bare{config};
  auto listen = [&]() -> task<std::string> {
    co_return test::misuse_of([&] { (void)unix_listen(path); });
  };
  BOOST_TEST(bare.block_on(listen).starts_with(
      "a net function was called in a runtime without a network: leave runtime_config::network"));
  BOOST_TEST(test::misuse_of([] {
               (void)stream_pair();
             }).starts_with("a net function was called outside a runtime"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::net
