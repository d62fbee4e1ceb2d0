#include <boost/test/unit_test.hpp>

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <samples/keyval/5_product/server.hpp>
#include <troupe/io/framing.hpp>
#include <troupe/net/tcp.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sched/timeout.hpp>

#include "simulated/outcome.hpp"

namespace troupe {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t port = 6380;

// What lies on a disk outlives its machine. What was not stored yet when that was killed may be
// there in part.
struct platter {
  std::string stored;
  std::string under_way;
  int torn = 0;

  void lose_some(sim::world& world) {
    if (under_way.empty()) return;
    std::size_t kept = world.random().below(under_way.size());
    if (kept > 0) ++torn;
    stored += std::exchange(under_way, {}).substr(0, kept);
  }
};

class simulated_disk final : public keyval::disk {
public:
  explicit simulated_disk(platter& of) noexcept : of_{of} {}

  task<std::string> read(std::uint64_t offset, std::size_t most) override {
    co_await sleep_for(100us);
    co_return of_.stored.substr(std::min<std::size_t>(offset, of_.stored.size()), most);
  }
  task<> cut(std::uint64_t offset) override {
    co_await sleep_for(1ms);
    of_.stored.resize(offset);
  }
  task<> store(std::string bytes) override {
    of_.under_way = std::move(bytes);
    co_await sleep_for(2ms);
    of_.stored += std::exchange(of_.under_way, {});
  }

private:
  platter& of_;
};

keyval::unix_ms milliseconds_of_world() {
  auto since = now().time_since_epoch();
  return 1'000'000'000'000 + std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

task<> serve(std::reference_wrapper<platter> at) {
  keyval::server_options wanted;
  wanted.shards = 3;
  wanted.journal_at = std::make_unique<simulated_disk>(at);
  wanted.clock = milliseconds_of_world;
  (void)co_await keyval::open_server(net::tcp_listen("0.0.0.0", port), std::move(wanted));
}

/// What one client has had acknowledged, or may have done.
struct record {
  std::set<int> acknowledged;
  int begun = 0;
  std::vector<std::string> wrong;

  void check(const std::set<int>& found) {
    for (int each : acknowledged) {
      if (!found.contains(each)) wrong.push_back(fmt::format("{} is lost", each));
    }
    if (!found.empty() && *found.rbegin() > begun) wrong.emplace_back("more than was written");
  }
};

class visitor {
public:
  visitor(io::stream server, std::string name)
      : server_{std::move(server)}, lines_{server_}, name_{std::move(name)} {}
  visitor(const visitor&) = delete;
  visitor& operator=(const visitor&) = delete;

  // Adds a number to a set, and says so under another key, in one go.
  task<> write(record& of) {
    int number = ++of.begun;
    std::string asked =
        fmt::format("SADD {0} {1}\r\nSET {0}-last {1}\r\nGET {0}-last\r\n", name_, number);
    co_await server_.write_all(asked);
    std::string added = co_await line(), set = co_await line();
    std::string size = co_await line(), last = co_await line();
    if (added != ":1" || set != "+OK") of.wrong.push_back("answered " + added + " " + set);
    if (last != std::to_string(number)) of.wrong.push_back("has read " + last);
    of.acknowledged.insert(number);
  }
  task<std::set<int>> read() {
    std::string asked = fmt::format("SMEMBERS {}\r\n", name_);
    co_await server_.write_all(asked);
    std::string head = co_await line();
    std::set<int> found;
    for (int left = std::stoi(head.substr(1)); left > 0; --left) {
      std::string size = co_await line(), text = co_await line();
      found.insert(std::stoi(text));
    }
    co_return found;
  }

private:
  task<std::string> line() {
    auto next = co_await timeout(5s, lines_.next_line());
    if (!next) throw_error(make_error_code(errc::end_of_stream));
    co_return *next;
  }

  io::stream server_;
  io::line_reader lines_;
  std::string name_;
};

task<> visit(std::string name, record& of, int writes) {
  visitor now{co_await net::tcp_connect("server", port), name};
  std::set<int> found = co_await now.read();
  of.check(found);
  for (int i = 0; i < writes; ++i) co_await now.write(of);
}

task<int> visit_again_and_again(std::string name, record& of) {
  for (int i = 0; i < 10; ++i) {
    try {
      co_await timeout(20s, visit(name, of, 10));
    } catch (const system_error&) {
      // The next visit has a connection of its own.
    }
    co_await sleep_for(1ms);
  }
  co_await visit(name, of, 0);  // All is over by now: it has to go well.
  co_return 0;
}

void plan_faults(sim::world& world, sim::node& server, const std::vector<sim::node*>& others,
                 platter& disk) {
  auto when = [&world] { return duration{world.random().below(300) * 1ms}; };
  for (int i = 0; i < 3; ++i) {
    world.after(when(), [&world] { (void)world.network().reset_any(); });
  }
  sim::node& parted = *others[world.random().below(others.size())];
  world.after(when(), [&] { world.network().partition(server, parted); });
  world.after(when() + 3s, [&world] { world.network().heal_all(); });
  for (int i = 0; i < 2; ++i) {
    world.after(when(), [&] {
      server.kill();
      disk.lose_some(world);
      server.restart();
    });
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(keyval_)

BOOST_AUTO_TEST_CASE(what_is_acknowledged_is_there_after_any_crash) {
  std::size_t acknowledged = 0;
  int unacknowledged = 0, torn = 0;
  sim::for_each_seed(
      "simulated.keyval_/what_is_acknowledged_is_there_after_any_crash", 40,
      [&](sim::world& world) {
        platter disk;
        std::vector<record> records(3);
        sim::node& server = world.add_node("server");
        server.start(serve, std::ref(disk));
        std::vector<sim::node*> others;
        for (record& each : records) {
          std::string name = fmt::format("client{}", others.size());
          others.push_back(&world.add_node(name));
          others.back()->start(visit_again_and_again, name, std::ref(each));
        }
        plan_faults(world, server, others, disk);
        auto all_have_left = [&] {
          return std::all_of(others.begin(), others.end(),
                             [](sim::node* each) { return each->exit_code() == 0; });
        };
        BOOST_REQUIRE(world.run_until(all_have_left, 30min));
        for (const record& each : records) {
          world.check(each.wrong.empty(), each.wrong.empty() ? "" : each.wrong.front());
          acknowledged += each.acknowledged.size();
          unacknowledged += each.begun - static_cast<int>(each.acknowledged.size());
        }
        torn += disk.torn;
        server.terminate();
        BOOST_REQUIRE(world.run_until([&] { return server.exit_code() == 0; }, 1min));
      });
  BOOST_TEST(acknowledged > 4'000U);
  BOOST_TEST(unacknowledged > 50);
  BOOST_TEST(torn > 5);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
