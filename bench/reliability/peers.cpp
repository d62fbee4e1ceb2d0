// Peers of the service for the reliability runs: good ones that measure, and hostile ones. Each
// mode prints "ready" when its connections stand, and at its end one line of JSON.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include <troupe/pal/random.hpp>
#include <troupe/runtime/run.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/task/scope.hpp>
#include <troupe/task/select.hpp>
#include <troupe/task/spawn.hpp>

#include "../../samples/options.hpp"
#include "peer.hpp"

namespace {

using namespace std::chrono_literals;
using reliability::ask_on;
using reliability::measured;
using reliability::peer;
using reliability::say;
using reliability::seconds_since;

struct wanted {
  std::uint16_t port = 0;
  std::size_t count = 0;
  std::chrono::seconds length{};
  std::chrono::milliseconds pause{};
  std::uint64_t seed = 1;
};

troupe::task<std::vector<std::unique_ptr<peer>>> all_greeted(const wanted& how) {
  std::vector<std::unique_ptr<peer>> peers;
  for (std::size_t i = 0; i < how.count; ++i) peers.push_back(co_await peer::greeted(how.port));
  say("ready");
  co_return peers;
}

troupe::task<> be_good(wanted how) {
  auto peers = co_await all_greeted(how);
  measured all;
  troupe::time_point until = troupe::now() + how.length;
  co_await troupe::scope([&](troupe::scope_handle inside) -> troupe::task<> {
    for (auto& each : peers) {
      inside.spawn(
          [&all, &how, until, p = each.get()] { return ask_on(*p, how.pause, until, all); });
      co_await troupe::sleep_for(how.pause / static_cast<int>(peers.size()));  // Not in step.
    }
  });
  say(fmt::format(R"({{"requests": {}, "p50_us": {:.0f}, "p99_us": {:.0f}, "wrong": {}}})",
                  all.latencies_us.size(), all.percentile(0.5), all.percentile(0.99), all.wrong));
}

// Sends a byte now and then, and never a line. Returns: after how many seconds it was closed.
troupe::task<double> drip(peer& p) {
  troupe::time_point begin = troupe::now();
  std::array<char, 256> buffer{};
  for (;;) {
    auto first =
        co_await troupe::select(p.stream().read_some(buffer).as_result(), troupe::sleep_for(500ms));
    if (auto* count = std::get_if<0>(&first)) {
      if (count->has_error() || **count == 0) co_return seconds_since(begin);
      continue;  // It says why it closes.
    }
    (void)co_await p.stream().write_some("x").as_result();
  }
}

troupe::task<> be_slow(wanted how) {
  auto peers = co_await all_greeted(how);
  double latest = 0;
  co_await troupe::scope([&](troupe::scope_handle inside) -> troupe::task<> {
    for (auto& each : peers) {
      inside.spawn([&latest, p = each.get()]() -> troupe::task<> {
        double closed_after = co_await drip(*p);
        latest = std::max(latest, closed_after);
      });
    }
    co_return;
  });
  say(fmt::format(R"({{"closed": {}, "latest_s": {:.3f}}})", peers.size(), latest));
}

// Stands there; whoever has started it stops the process, so that it is half open.
troupe::task<> be_silent(wanted how) {
  auto peers = co_await all_greeted(how);
  co_await troupe::sleep_for(how.length);
}

// One connection that does one bad thing, or a good one byte by byte. Returns: whether the service
// behaved as it has to.
troupe::task<bool> misbehave(std::uint16_t port, std::uint64_t choice) {
  auto p = co_await peer::greeted(port);
  switch (choice % 5) {
    case 0:  // Broken off in mid-line: unread bytes make the close a reset.
      co_await p->stream().write_all(std::string_view{"echo cut o"});
      co_return true;
    case 1: {
      std::string answer = co_await p->ask(std::string{"\x80\x03\xff\x00 garbage\n", 13});
      co_return answer.starts_with("error: not a line of text");
    }
    case 2: {  // What looks like a frame of 4 GiB.
      std::string answer = co_await p->ask(std::string{"\xff\xff\xff\xff\n", 5});
      co_return answer.starts_with("error: ");
    }
    case 3: {
      const std::string_view request = "echo byte by byte\n";
      for (char letter : request.substr(0, request.size() - 1)) {
        co_await p->stream().write_all(std::string_view{&letter, 1});
      }
      const std::string last = "\n";
      std::string answer = co_await p->ask(last);
      co_return answer == "byte by byte";
    }
    default: {
      const std::string long_line(5000, 'x');
      std::string answer = co_await p->ask(long_line);
      co_return answer.starts_with("error: line longer than");
    }
  }
}

troupe::task<> be_bad(wanted how) {
  say("ready");
  troupe::pal::random dice{how.seed};
  troupe::time_point until = troupe::now() + how.length;
  std::uint64_t done = 0, wrong = 0, broken = 0;
  while (troupe::now() < until) {
    std::uint64_t choice = dice.below(1000);
    try {
      if (!co_await misbehave(how.port, choice)) ++wrong;
    } catch (const std::runtime_error&) {
      ++broken;  // Not taken on, or broken off: so it is where connections are killed.
    }
    ++done;
    co_await troupe::sleep_for(how.pause);
  }
  say(fmt::format(R"({{"connections": {}, "wrong": {}, "broken": {}}})", done, wrong, broken));
}

}  // namespace

int main(int argc, char** argv) {
  samples::options given{argc, argv};
  struct {
    const char* flag;
    troupe::task<> (*run)(wanted);
  } modes[] = {
      {"--good", &be_good}, {"--slow", &be_slow}, {"--silent", &be_silent}, {"--bad", &be_bad}};
  troupe::task<> (*chosen)(wanted) = nullptr;
  for (auto [flag, run] : modes) {
    if (given.flag(flag)) chosen = run;
  }
  wanted how;
  how.port = given.number<std::uint16_t>("--port", 0, 1, 65535);
  how.count = given.number<std::size_t>("--count", 1, 1, 20'000);
  how.length = std::chrono::seconds{given.number<std::int64_t>("--seconds", 5, 1, 100'000)};
  how.pause = std::chrono::milliseconds{given.number<std::int64_t>("--pause", 10, 1, 10'000)};
  how.seed = given.number<std::uint64_t>("--seed", 1, 1, UINT64_MAX);
  given.end();
  if (chosen == nullptr || how.port == 0) {
    fmt::print(stderr, "peers: a mode and --port are needed; see --help\n");
    return 2;
  }
  troupe::runtime_config config;
  config.workers = 1;  // Latencies are kept without a lock.
  return troupe::run(config, chosen, how);
}
