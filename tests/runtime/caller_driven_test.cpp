#include <poll.h>

#include <array>
#include <atomic>
#include <chrono>
#include <string>
#include <string_view>
#include <thread>

#include <boost/test/unit_test.hpp>

#include <troupe/net/tcp.hpp>
#include <troupe/pal/clock.hpp>
#include <troupe/runtime/run.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sched/spawn_blocking.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/yield.hpp>

#include <captured_log.hpp>
#include <thrown_misuse.hpp>

namespace troupe {

using namespace std::chrono_literals;

namespace {

runtime_config driven() {
  runtime_config config;
  config.caller_driven = true;
  return config;
}

// Waits until the runtime's descriptor is readable, however long that takes.
void wait_readable(const runtime& rt) {
  pollfd waited{rt.descriptor(), POLLIN, 0};
  BOOST_TEST(::poll(&waited, 1, -1) == 1);
}

bool is_readable(const runtime& rt) {
  pollfd waited{rt.descriptor(), POLLIN, 0};
  return ::poll(&waited, 1, 0) == 1;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(caller_driven_)

BOOST_AUTO_TEST_CASE(nothing_runs_but_in_poll_and_on_its_thread) {
  runtime rt{driven()};
  std::thread::id ran_on;
  rt.spawn([&]() -> task<> {
    ran_on = std::this_thread::get_id();
    co_return;
  });
  BOOST_TEST((ran_on == std::thread::id{}));
  BOOST_TEST(rt.poll() == 1u);
  BOOST_TEST((ran_on == std::this_thread::get_id()));
  BOOST_TEST(rt.poll() == 0u);
}

BOOST_AUTO_TEST_CASE(poll_runs_no_more_turns_than_it_was_told) {
  runtime rt{driven()};
  std::size_t turns = 0;
  auto held = rt.spawn([&]() -> task<> {
    for (; turns < 10; ++turns) co_await yield();
  });
  BOOST_TEST(rt.poll(3) == 3u);
  BOOST_TEST(turns == 2u);  // The first one has begun it.
  BOOST_TEST(rt.poll(100) == 8u);
  BOOST_TEST(turns == 10u);
}

BOOST_AUTO_TEST_CASE(the_descriptor_tells_the_host_what_other_threads_bring) {
  runtime rt{driven()};
  event told;
  bool heard = false;
  auto held = rt.spawn([&]() -> task<> {
    co_await told.wait();
    heard = true;
  });
  while (rt.poll() != 0) {
  }
  BOOST_TEST(!is_readable(rt));
  std::thread other{[&] { told.set(); }};
  wait_readable(rt);
  other.join();
  while (rt.poll() != 0) {
  }
  BOOST_TEST(heard);
  BOOST_TEST(!is_readable(rt));
}

BOOST_AUTO_TEST_CASE(the_descriptor_tells_the_host_what_sockets_bring) {
  runtime server{driven()};
  std::uint16_t port = 0;
  std::string got;
  auto held = server.spawn([&]() -> task<> {
    auto listener = net::tcp_listen("127.0.0.1", 0);
    port = listener.port();
    auto peer = co_await listener.accept();
    got = co_await peer.read_to_end(100);
  });
  while (server.poll() != 0) {
  }
  std::thread other{[&] {
    runtime client;
    client.block_on([&]() -> task<> {
      auto peer = co_await net::tcp_connect("127.0.0.1", port);
      co_await peer.write_all(std::string_view{"hello"});
    });
  }};
  while (!held.done()) {
    wait_readable(server);
    while (server.poll() != 0) {
    }
  }
  other.join();
  BOOST_TEST(got == "hello");
}

BOOST_AUTO_TEST_CASE(time_to_next_timer_is_what_the_host_may_sleep) {
  runtime rt{driven()};
  BOOST_TEST(!rt.time_to_next_timer().has_value());
  auto held = rt.spawn([]() -> task<> { co_await sleep_for(1h); });
  while (rt.poll() != 0) {
  }
  auto left = rt.time_to_next_timer();
  BOOST_TEST_REQUIRE(left.has_value());
  BOOST_TEST((*left > 0ns && *left <= 1h + 1ms));
}

BOOST_AUTO_TEST_CASE(poll_for_waits_for_timers_and_for_other_threads) {
  runtime rt{driven()};
  bool slept = false;
  auto held = rt.spawn([&]() -> task<> {
    co_await sleep_for(1ms);
    slept = true;
  });
  while (!held.done()) (void)rt.poll_for(1h);
  BOOST_TEST(slept);
  event told;
  auto waiting = rt.spawn([&]() -> task<> { co_await told.wait(); });
  (void)rt.poll();
  std::thread other{[&] { told.set(); }};
  while (!waiting.done()) (void)rt.poll_for(1h);
  other.join();
}

BOOST_AUTO_TEST_CASE(block_on_drives_the_runtime_itself) {
  runtime rt{driven()};
  int value = rt.block_on([]() -> task<int> {
    co_await sleep_for(1ms);
    co_return co_await spawn_blocking([] { return 42; });
  });
  BOOST_TEST(value == 42);
}

BOOST_AUTO_TEST_CASE(shut_down_drives_the_runtime_itself) {
  runtime rt{driven()};
  bool was_stopped = false;
  event never;
  rt.spawn([&]() -> task<> {
      try {
        co_await never.wait();
      } catch (const canceled&) {
        was_stopped = true;
        throw;
      }
    }).detach();
  BOOST_TEST(rt.shut_down(100ms).empty());
  BOOST_TEST(was_stopped);
}

BOOST_AUTO_TEST_CASE(a_virtual_clock_moves_in_poll) {
  pal::virtual_clock clock;
  runtime_config config = driven();
  config.clock = &clock;
  runtime rt{config};
  bool slept = false;
  auto held = rt.spawn([&]() -> task<> {
    co_await sleep_for(24h);
    slept = true;
  });
  while (rt.poll() != 0) {
  }
  BOOST_TEST(slept);
}

BOOST_AUTO_TEST_CASE(poll_of_a_runtime_with_workers_is_a_misuse) {
  runtime rt;
  std::string text = test::misuse_of([&] { (void)rt.poll(); });
  BOOST_TEST(text.find("caller_driven") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(run_refuses_to_wait_for_a_host_that_it_is_itself) {
  test::captured_log log;
  BOOST_TEST(run(driven(), []() -> task<> { co_return; }) == 1);
  BOOST_TEST(log.count("caller_driven is for a runtime object") == 1u);
}

BOOST_AUTO_TEST_CASE(poll_inside_a_task_is_a_misuse) {
  runtime rt{driven()};
  std::string text = rt.block_on(
      [&]() -> task<std::string> { co_return test::misuse_of([&] { (void)rt.poll(); }); });
  BOOST_TEST(text.find("inside a task") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
