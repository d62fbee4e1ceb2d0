// The snippets of docs/guide/when-not-to-spawn.md, in its order; the first two are of a sample.

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/io/framing.hpp>
#include <troupe/net/tcp.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/sync/semaphore.hpp>
#include <troupe/task/scope.hpp>
#include <troupe/task/yield.hpp>

#include "page_snippets.hpp"

using namespace std::chrono_literals;

namespace {

troupe::task<> serve(troupe::io::stream socket) {
  troupe::io::line_reader lines{socket};
  // A line within ten seconds, or the connection ends: timed_out is thrown out of here.
  while (auto line = co_await troupe::timeout(10s, lines.next_line())) {
    *line += '\n';
    co_await socket.write_all(*line);
  }
}

struct meter {
  int running = 0, most = 0, done = 0;
};

troupe::task<> fetch(int, meter& seen) {
  seen.most = std::max(seen.most, ++seen.running);
  co_await troupe::yield();
  --seen.running;
  ++seen.done;
}

troupe::task<> fetch_all(std::vector<int> pages, meter& seen) {
  troupe::semaphore at_most_eight{8};
  co_await troupe::scope([&](troupe::scope_handle all) -> troupe::task<> {
    for (int page : pages) {
      auto permit = co_await at_most_eight.acquire();  // Before the task is made.
      all.spawn([page, &seen, permit = std::move(permit)]() -> troupe::task<> {
        co_await fetch(page, seen);
      });
    }
  });
}

troupe::task<std::optional<std::string>> talk() {
  troupe::io::listener listener = troupe::net::tcp_listen("127.0.0.1", 0);
  auto peer = co_await troupe::net::tcp_connect("127.0.0.1", listener.port());
  auto serving = troupe::spawn(serve, co_await listener.accept());
  co_await peer.write_all("hello\n");
  troupe::io::line_reader answers{peer};
  auto answer = co_await answers.next_line();
  co_await peer.shutdown();
  co_await serving;
  co_return answer;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(guide_when_not_to_spawn_)

BOOST_AUTO_TEST_CASE(a_limit_of_time_needs_no_second_task) {
  troupe::runtime rt;
  BOOST_TEST(rt.block_on(talk).value() == "hello");
}

BOOST_AUTO_TEST_CASE(no_more_than_eight_run_at_once) {
  troupe::runtime_config one;
  one.workers = 1;
  one.network = false;
  troupe::runtime rt{one};
  meter seen;
  rt.block_on(fetch_all, std::vector<int>(100, 1), std::ref(seen));
  BOOST_TEST(seen.done == 100);
  BOOST_TEST(seen.most == 8);
}

BOOST_AUTO_TEST_CASE(every_snippet_of_the_page_is_compiled) {
  BOOST_TEST(troupe::test::check_snippets("docs/guide/when-not-to-spawn.md",
                                          {"samples/tasks/when_not_to_spawn.cpp",
                                           "tests/docs/guide_when_not_to_spawn_test.cpp"}) == 4);
}

BOOST_AUTO_TEST_SUITE_END()
