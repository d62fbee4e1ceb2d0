#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <regex>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <samples/peer.hpp>
#include <samples/program.hpp>

namespace samples {

namespace {

using namespace std::chrono_literals;

std::ptrdiff_t count(const std::vector<std::string>& lines, const char* pattern) {
  return std::count_if(lines.begin(), lines.end(),
                       [&](const std::string& line) { return matches(line, pattern); });
}

/// Reads lines until one begins so. Returns: it.
std::string line_of(program& from, const std::string& beginning) {
  while (auto line = from.next_line()) {
    if (line->starts_with(beginning)) return *line;
  }
  BOOST_REQUIRE_MESSAGE(false, "it ended without a line '" << beginning << "'");
  return {};
}

// Each node's keys are of one kind, and together they are all.
void check_shares(const std::string& line, const char* kind_of_b) {
  static const std::regex form{R"(get: a: (\d+) right, (\d+) absent, (\d+) node_down; )"
                               R"(b: (\d+) right, (\d+) absent, (\d+) node_down; )"
                               R"(c: (\d+) right, (\d+) absent, (\d+) node_down)"};
  std::smatch found;
  BOOST_REQUIRE_MESSAGE(std::regex_match(line, found, form), line);
  std::vector<int> numbers;
  for (std::size_t i = 1; i < found.size(); ++i) numbers.push_back(std::stoi(found[i]));
  int sum = 0;
  for (int each : numbers) sum += each;
  BOOST_TEST(sum == 60);
  std::string kinds[] = {"right", "absent", "node_down"};
  for (std::size_t node = 0; node < 3; ++node) {
    for (std::size_t kind = 0; kind < 3; ++kind) {
      bool is_expected = kinds[kind] == (node == 1 ? kind_of_b : "right");
      // A share is about a third.
      BOOST_TEST((is_expected ? numbers[3 * node + kind] > 5 : numbers[3 * node + kind] == 0),
                 line);
    }
  }
}

void check_cluster(program& run) {
  std::vector<std::string> lines = run.lines();
  std::vector<std::string> gets;
  for (const std::string& line : lines) {
    if (line.starts_with("get: ")) gets.push_back(line);
  }
  BOOST_TEST_REQUIRE(gets.size() == 4U);
  check_shares(gets[0], "right");
  check_shares(gets[1], "node_down");
  check_shares(gets[2], "absent");
  check_shares(gets[3], "right");
  BOOST_TEST(count(lines, "[abc]: listening on 127.0.0.1:\\d+") == 4);
  std::smatch found;
  static const std::regex summary{
      R"(cluster_kv: keys=60 right=60 node_down=(\d+) came back=(\d+) ok)"};
  BOOST_REQUIRE_MESSAGE(std::regex_match(lines.back(), found, summary), lines.back());
  BOOST_TEST(found[1] == found[2]);
  BOOST_TEST(run.exit_code() == 0);
  BOOST_TEST(without_stalls(run.error_text()) == "");
}

void check_kills(program& run) {
  std::vector<std::string> lines = run.lines();
  BOOST_TEST(count(lines, "server: listening on 127.0.0.1:\\d+") == 2);
  BOOST_TEST(count(lines, R"(clients: client 1: [\d.]+ us)") == 2);
  auto begins = [](const char* with) {
    return [with](const std::string& line) { return line.starts_with(with); };
  };
  auto lost = std::find_if(lines.begin(), lines.end(), begins("clients: node_down: client "));
  auto back = std::find_if(lines.begin(), lines.end(), begins("clients: back: client "));
  BOOST_TEST((lost < back && back != lines.end()));
  BOOST_TEST(count(lines, "server: server: the link from .*") == 2);
  BOOST_TEST(lines.back() == "two_nodes: killed=2 answered=100 failed=0 ok");
  BOOST_TEST(run.exit_code() == 0);
  BOOST_TEST(without_stalls(run.error_text()) == "");
}

/// Returns: how to run a sample in a network of its own.
command apart(const std::string& name, const std::string& arguments) {
  return {{"unshare", "-n", "sh", "-c",
           "ip link set lo up && exec " TROUPE_SAMPLES_DIR "/" + name + " " + arguments}};
}

/// Returns: whether networks can be made; else a line says that the test is skipped.
bool can_make_networks() {
  program trying{command{{"sh", "-c", "unshare -n ip link set lo up && command -v nsenter"}}};
  if (trying.exit_code() == 0) return true;
  std::printf("skipped: no right, or no tool, to make a network: %s", trying.error_text().c_str());
  return false;
}

/// A server and its clients in a network whose one link can be cut.
class cut_network {
public:
  cut_network()
      : server_{apart("two_nodes", "--role server")},
        client_{client_command(std::to_string(port_of(server_)))} {
    line_of(client_, "client 1: ");
  }

  /// Returns: how long it takes the clients to notice.
  std::chrono::nanoseconds cut() {
    set_link("down");
    auto begin = std::chrono::steady_clock::now();
    line_of(client_, "node_down: ");
    return std::chrono::steady_clock::now() - begin;
  }
  void heal() {
    set_link("up");
    line_of(client_, "back: ");
  }

private:
  [[nodiscard]] std::vector<std::string> inside() const {
    return {"nsenter", "-t", std::to_string(server_.id()), "-n"};
  }
  [[nodiscard]] command client_command(const std::string& port) const {
    std::vector<std::string> words = inside();
    command inner =
        command_of("two_nodes", {"--role", "client", "--port", port, "--rounds", "1000000"});
    words.insert(words.end(), inner.words.begin(), inner.words.end());
    return {words};
  }
  void set_link(const std::string& state) const {
    std::vector<std::string> words = inside();
    words.insert(words.end(), {"ip", "link", "set", "lo", state});
    program setting{command{words}};
    BOOST_REQUIRE(setting.exit_code() == 0);
  }

  program server_;
  program client_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(nodes_, *boost::unit_test::label("sample"))

BOOST_AUTO_TEST_CASE(two_nodes_ends_by_itself_with_a_summary) {
  program run{"two_nodes"};
  std::vector<std::string> lines = run.lines();
  BOOST_TEST(count(lines, R"(clients: client \d: [\d.]+ us)") == 4);
  BOOST_TEST(lines.back() == "two_nodes: killed=0 answered=100 failed=0 ok");
  BOOST_TEST(run.exit_code() == 0);
  BOOST_TEST(without_stalls(run.error_text()) == "");
}

BOOST_AUTO_TEST_CASE(two_nodes_goes_on_after_its_server_and_its_clients_were_killed) {
  program run{"two_nodes", {"--kill"}};
  check_kills(run);
}

BOOST_AUTO_TEST_CASE(the_parts_of_two_nodes_run_by_hand_and_clients_outlive_their_server) {
  program clients_only{"two_nodes", {"--role", "client", "--port", "1"}};
  BOOST_TEST(clients_only.exit_code() == 1);
  BOOST_TEST((clients_only.error_text().find("no link to 127.0.0.1:1") != std::string::npos));

  program first{"two_nodes", {"--role", "server"}};
  std::string port = std::to_string(port_of(first));
  program clients{"two_nodes", {"--role", "client", "--port", port, "--rounds", "100"}};
  line_of(clients, "answered ");
  first.send_signal(SIGKILL);
  line_of(clients, "node_down: ");
  BOOST_TEST(first.exit_code() == 128 + SIGKILL);
  program second{"two_nodes", {"--role", "server", "--port", port}};
  line_of(clients, "back: ");
  std::string done = line_of(clients, "done: ");
  BOOST_TEST(matches(done, R"(done: answered=400 failed=\d+)"), done);
  BOOST_TEST(clients.exit_code() == 0);
  second.send_signal(SIGTERM);
  std::vector<std::string> lines = second.lines();
  BOOST_TEST(count(lines, "server: the link from 127.0.0.1:\\d+ has ended: .*") == 1);
  BOOST_TEST(lines.back() == "stopped");
  BOOST_TEST(second.exit_code() == 0);
}

BOOST_AUTO_TEST_CASE(a_part_that_there_is_not_is_refused_in_one_line) {
  program run{"two_nodes", {"--role", "king"}};
  BOOST_TEST(run.error_text() == "two_nodes: --role is 'king': it must be server or client\n");
  BOOST_TEST(run.exit_code() == 2);
}

BOOST_AUTO_TEST_CASE(cluster_kv_loses_the_keys_of_the_killed_node_alone_until_it_is_back) {
  program run{"cluster_kv"};
  check_cluster(run);
}

BOOST_AUTO_TEST_CASE(both_samples_run_in_a_network_of_their_own) {
  if (!can_make_networks()) return;
  program killed{apart("two_nodes", "--kill")};
  check_kills(killed);
  program cluster{apart("cluster_kv", "")};
  check_cluster(cluster);
}

BOOST_AUTO_TEST_CASE(a_network_that_is_cut_is_noticed_and_one_that_is_healed_is_used_again,
                     *boost::unit_test::label("slow")) {
  if (!can_make_networks()) return;
  cut_network both;
  both.cut();
  both.heal();
}

BOOST_AUTO_TEST_CASE(a_network_that_is_cut_is_noticed_within_three_and_a_half_seconds,
                     *boost::unit_test::label("timing")) {
  if (!can_make_networks()) return;
  auto took = cut_network{}.cut();
  BOOST_TEST((took < 3500ms), took.count() / 1'000'000 << " ms");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace samples
