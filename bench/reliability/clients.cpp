// Clients of the service that keep books, for the reliability runs: of what was answered to them,
// and of many connections that are held. Each mode prints "ready" when its clients are under way,
// and at its end one line of JSON.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <fmt/format.h>

#include <troupe/pal/random.hpp>
#include <troupe/runtime/run.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/task/join_handle.hpp>
#include <troupe/task/scope.hpp>
#include <troupe/task/shield.hpp>
#include <troupe/task/spawn.hpp>

#include "../../samples/options.hpp"
#include "../../samples/service/protocol.hpp"
#include "peer.hpp"

namespace {

using namespace std::chrono_literals;
using reliability::measured;
using reliability::peer;
using reliability::say;
using reliability::seconds_since;

struct wanted {
  std::uint16_t port = 0;
  std::size_t count = 0;
  std::size_t active = 0;   // Of them.
  std::size_t at_once = 0;  // Requests, or connections that are being made.
  std::chrono::seconds length{};
  std::chrono::milliseconds pause{};
  std::uint64_t seed = 1;
};

// What the client of one connection knows for certain.
struct account {
  service::connection_id id = 0;
  std::uint64_t answered = 0;
  std::uint64_t bytes = 0;   // Of the requests that were answered.
  std::uint64_t failed = 0;  // Answered by an error that is no fault of the request.
};

struct books {
  std::vector<account> accounts;
  std::vector<std::string> wrong;  // What was answered wrongly.
  std::uint64_t broken = 0;        // Connections that did not end by quit and bye.
  bool is_over = false;            // End by quit now.

  [[nodiscard]] std::string text() const {
    std::vector<std::string> rows;
    for (const account& each : accounts) {
      rows.push_back(
          fmt::format("[{}, {}, {}, {}]", each.id, each.answered, each.bytes, each.failed));
    }
    return fmt::format(R"({{"accounts": [{}], "wrong": {}, "first_wrong": "{}", "broken": {}}})",
                       fmt::join(rows, ", "), wrong.size(), wrong.empty() ? "" : wrong.front(),
                       broken);
  }
};

struct question {
  std::string line;
  std::string expected;
  bool is_beginning = false;  // The answer begins so; else it is just this.
};

// One connection that asks a mix of requests and knows each answer beforehand.
class bookkeeper {
public:
  bookkeeper(peer& of, books& into, const wanted& how, std::uint64_t seed)
      : peer_{of}, into_{into}, how_{how}, dice_{seed} {
    mine_.id = service::id_in_greeting(of.greeting()).value_or(0);
  }
  bookkeeper(const bookkeeper&) = delete;
  bookkeeper& operator=(const bookkeeper&) = delete;
  ~bookkeeper() { into_.accounts.push_back(mine_); }

  // Returns: whether it ended by quit and bye.
  troupe::task<bool> converse() {
    while (!into_.is_over) {
      bool goes_on = co_await ask_some();
      if (!goes_on) co_return false;
      if (how_.pause > 0ms) co_await troupe::sleep_for(how_.pause);
    }
    question last{"quit\n", "bye"};
    co_await peer_.stream().write_all(last.line);
    co_return co_await is_answered(last);
  }

private:
  // Sends some requests at once, then takes their answers. Returns: whether all have come.
  troupe::task<bool> ask_some() {
    std::vector<question> asked(1 + dice_.below(how_.at_once));
    std::string lines;
    for (question& each : asked) {
      each = next_question();
      lines += each.line;
    }
    co_await peer_.stream().write_all(lines);
    for (const question& each : asked) {
      bool goes_on = co_await is_answered(each);
      if (!goes_on) co_return false;
    }
    co_return true;
  }

  question next_question() {
    auto chance = dice_.below(100);
    if (chance < 2) return {"rtt\n", "rtt ", true};
    if (chance < 10) return {"stats\n", "stats connections=", true};
    if (chance < 20) return {"hello\n", "hello world"};
    // No two texts of a connection are the same: an answer that comes twice is seen.
    std::string text =
        fmt::format("{}.{} {}", mine_.id, ++text_count_,
                    std::string(dice_.below(200), static_cast<char>('a' + chance % 26)));
    return {"echo " + text + '\n', text};
  }

  troupe::task<bool> is_answered(const question& asked) {
    auto line = co_await peer_.lines().next_line();
    if (!line) co_return false;
    if (asked.is_beginning ? line->starts_with(asked.expected) : *line == asked.expected) {
      ++mine_.answered;
      mine_.bytes += asked.line.size();
      co_return true;
    }
    if (asked.is_beginning && line->starts_with("error: rtt: ")) {
      ++mine_.failed;
      mine_.bytes += asked.line.size();
      co_return true;
    }
    // An answer that was cut off by the end of the connection was not given.
    if (asked.expected.starts_with(*line)) {
      auto more = co_await peer_.lines().next_line().as_result();
      if (!more || !*more) co_return false;
    }
    into_.wrong.push_back(fmt::format("'{:.40}' in place of '{:.40}'", *line, asked.expected));
    co_return false;
  }

  peer& peer_;
  books& into_;
  const wanted& how_;
  troupe::pal::random dice_;
  std::uint64_t text_count_ = 0;
  account mine_;
};

troupe::task<> keep_books(const wanted& how, books& into, std::uint64_t seed) {
  std::unique_ptr<peer> p;
  try {
    p = co_await peer::greeted(how.port);
  } catch (const std::runtime_error&) {
    co_return;  // Not taken on: nothing was asked.
  }
  bool ended_well = false;
  try {
    bookkeeper clerk{*p, into, how, seed};
    ended_well = co_await clerk.converse();
  } catch (const troupe::system_error&) {
    // The service has closed.
  }
  if (!ended_well) ++into.broken;
}

troupe::task<> keep_all_books(const wanted& how, books& into) {
  co_await troupe::scope([&](troupe::scope_handle inside) -> troupe::task<> {
    troupe::pal::random seeds{how.seed};
    for (std::size_t i = 0; i < how.count; ++i) {
      inside.spawn([&how, &into, seed = seeds.next()] { return keep_books(how, into, seed); });
    }
    say("ready");
    co_return;
  });
}

// Until the service closes, or until SIGTERM: then each client ends by quit.
troupe::task<> be_booked(wanted how) {
  books all;
  auto clients = troupe::spawn([&] { return keep_all_books(how, all); });
  bool is_asked_to_end = false;
  try {
    co_await clients.as_operation();
  } catch (const troupe::canceled&) {
    is_asked_to_end = true;
  }
  if (is_asked_to_end) {
    all.is_over = true;
    co_await troupe::shield(
        [](auto& ending) -> troupe::task<> { co_await ending.as_operation(); }(clients));
  }
  say(all.text());
}

// Does `step(i)` for each of `count`, `at_once` of them at a time.
template <class Step>
troupe::task<> for_each_of(std::size_t count, std::size_t at_once, Step step) {
  std::size_t next = 0;
  co_await troupe::scope([&](troupe::scope_handle inside) -> troupe::task<> {
    for (std::size_t lane = 0; lane < at_once; ++lane) {
      inside.spawn([&]() -> troupe::task<> {
        while (next < count) co_await step(next++);
      });
    }
    co_return;
  });
}

troupe::task<> ask_active(std::vector<std::unique_ptr<peer>>& peers, const wanted& how,
                          measured& into) {
  troupe::time_point until = troupe::now() + how.length;
  co_await troupe::scope([&](troupe::scope_handle inside) -> troupe::task<> {
    for (std::size_t i = 0; i < how.active; ++i) {
      inside.spawn([&, until, p = peers[i].get()] {
        return reliability::ask_on(*p, how.pause, until, into);
      });
      if (i % 64 == 0) co_await troupe::sleep_for(1ms);  // Not in step.
    }
  });
}

// Returns: whether a connection answers as it did at first, and ends in order.
troupe::task<bool> is_sound(peer& p, std::size_t number) {
  std::string text = fmt::format("connection {} is still here", number);
  std::string answer = co_await p.ask("echo " + text + '\n');
  const std::string quit = "quit\n";
  std::string bye = co_await p.ask(quit);
  auto end = co_await p.lines().next_line();
  co_return answer == text&& bye == "bye" && !end;
}

// Holds many connections, some of them active, and looks at each of them at the end.
troupe::task<> be_held(wanted how) {
  std::vector<std::unique_ptr<peer>> peers(how.count);
  // With half of all local ports taken the system looks for a free one, which takes its time.
  std::size_t timed_count = std::min<std::size_t>(how.count, 10'000), greeted_count = 0;
  double timed_s = 0;
  troupe::time_point begin = troupe::now();
  co_await for_each_of(how.count, how.at_once, [&](std::size_t i) -> troupe::task<> {
    peers[i] = co_await peer::greeted(how.port);
    if (++greeted_count == timed_count) timed_s = seconds_since(begin);
  });
  say("ready");
  measured seen;
  co_await ask_active(peers, how, seen);
  std::uint64_t unsound = 0;
  co_await for_each_of(how.count, how.at_once, [&](std::size_t i) -> troupe::task<> {
    bool ends_well = co_await is_sound(*peers[i], i);
    if (!ends_well) ++unsound;
    peers[i].reset();
  });
  say(fmt::format(
      R"({{"per_second": {:.0f}, "requests": {}, "p99_us": {:.0f}, "wrong": {}, "unsound": {}}})",
      static_cast<double>(timed_count) / timed_s, seen.latencies_us.size(), seen.percentile(0.99),
      seen.wrong, unsound));
}

}  // namespace

int main(int argc, char** argv) {
  samples::options given{argc, argv};
  bool is_booked = given.flag("--booked");
  bool is_held = given.flag("--held");
  wanted how;
  how.port = given.number<std::uint16_t>("--port", 0, 1, 65535);
  how.count = given.number<std::size_t>("--count", 1, 1, 20'000);
  how.active = std::min(how.count, given.number<std::size_t>("--active", 0, 0, 20'000));
  how.at_once = given.number<std::size_t>("--at-once", 1, 1, 1000);
  how.length = std::chrono::seconds{given.number<std::int64_t>("--seconds", 5, 1, 3600)};
  how.pause = std::chrono::milliseconds{given.number<std::int64_t>("--pause", 0, 0, 10'000)};
  how.seed = given.number<std::uint64_t>("--seed", 1, 0, UINT64_MAX);
  given.end();
  if (is_booked == is_held || how.port == 0) {
    fmt::print(stderr, "clients: --booked or --held, and --port are needed; see --help\n");
    return 2;
  }
  troupe::runtime_config config;
  config.workers = 1;  // Books are kept without a lock.
  config.shutdown_budget = 60s;
  return troupe::run(config, is_held ? &be_held : &be_booked, how);
}
