#include <array>
#include <chrono>
#include <stdexcept>
#include <string>
#include <tuple>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <troupe/net/use_task.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/select.hpp>
#include <troupe/task/spawn.hpp>

#include <net/connected.hpp>

namespace troupe::net {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

// An operation of a user's own, with a handler of the given arguments.
template <class Signature, class... Values>
auto async_values(Values... values) {
  return asio::async_initiate<const use_task_t&, Signature>(
      [](auto handler, Values... given) {
        asio::post(io_context_of_current(),
                   [handler = std::move(handler), ... kept = std::move(given)]() mutable {
                     std::move(handler)(std::move(kept)...);
                   });
      },
      use_task, std::move(values)...);
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(use_task_, two_workers)

BOOST_AUTO_TEST_CASE(a_timer_of_asio_is_awaited) {
  auto wait = []() -> task<bool> {
    asio::steady_timer timer{io_context_of_current(), 1ms};
    co_await timer.async_wait(use_task);
    co_return timer.expiry() <= std::chrono::steady_clock::time_point(now());
  };
  BOOST_TEST(rt.block_on(wait));
}

BOOST_AUTO_TEST_CASE(the_values_of_a_handler_are_those_of_the_await) {
  auto all = []() -> task<int> {
    co_await async_values<void()>();
    int one = co_await async_values<void(int)>(1);
    std::tuple<int, std::string> two =
        co_await async_values<void(int, std::string)>(20, std::string{"two"});
    int three = co_await async_values<void(boost::system::error_code, int)>(
        boost::system::error_code{}, 300);
    co_return one + std::get<0>(two) + three + (std::get<1>(two) == "two" ? 4000 : 0);
  };
  BOOST_TEST(rt.block_on(all) == 4321);
}

BOOST_AUTO_TEST_CASE(an_error_code_is_thrown_or_handed_over_as_result) {
  auto thrown = []() -> task<> {
    boost::system::error_code refused = make_error_code(boost::system::errc::connection_refused);
    co_await async_values<void(boost::system::error_code)>(refused);
  };
  BOOST_CHECK_EXCEPTION(rt.block_on(thrown), system_error, [](const system_error& error) {
    return error.code() == boost::system::errc::connection_refused;
  });
  auto handed_over = []() -> task<bool> {
    boost::system::error_code refused = make_error_code(boost::system::errc::connection_refused);
    auto outcome =
        co_await async_values<void(boost::system::error_code, int)>(refused, 0).as_result();
    co_return outcome.has_error();
  };
  BOOST_TEST(rt.block_on(handed_over));
}

BOOST_AUTO_TEST_CASE(an_exception_pointer_is_thrown) {
  auto thrown = []() -> task<int> {
    co_return co_await async_values<void(std::exception_ptr, int)>(
        std::make_exception_ptr(std::logic_error{"from Asio"}), 1);
  };
  BOOST_CHECK_THROW(rt.block_on(thrown), std::logic_error);
}

BOOST_AUTO_TEST_CASE(a_stop_cancels_the_timer_and_the_task) {
  event began;
  auto waiting = rt.spawn([&]() -> task<> {
    asio::steady_timer timer{io_context_of_current(), 1h};
    began.set();
    co_await timer.async_wait(use_task);
  });
  auto stop = [&]() -> task<bool> {
    co_await began.wait();
    co_await waiting.cancel();
    try {
      co_await waiting;
    } catch (const canceled&) {
      co_return true;
    }
    co_return false;
  };
  BOOST_TEST(rt.block_on(stop));
}

BOOST_AUTO_TEST_CASE(a_select_returns_when_the_cancelled_operation_has_ended) {
  auto race = []() -> task<std::size_t> {
    asio::steady_timer slow{io_context_of_current(), 1h};
    asio::steady_timer fast{io_context_of_current(), 1ms};
    auto first = co_await select(slow.async_wait(use_task), fast.async_wait(use_task));
    co_return first.index() * 10 + slow.cancel();  // Nothing is left to cancel.
  };
  BOOST_TEST(rt.block_on(race) == 10u);
}

BOOST_AUTO_TEST_CASE(a_timeout_cancels_it) {
  auto wait = []() -> task<bool> {
    asio::steady_timer timer{io_context_of_current(), 1h};
    auto outcome = co_await timeout(1ms, timer.async_wait(use_task)).as_result();
    co_return outcome.has_error() && outcome.error() == errc::timed_out;
  };
  BOOST_TEST(rt.block_on(wait));
}

BOOST_AUTO_TEST_CASE(composed_operations_of_asio_work_and_can_be_cut_short) {
  auto exchange = []() -> task<bool> {
    using asio::ip::tcp;
    auto& context = io_context_of_current();
    tcp::acceptor acceptor{context, tcp::endpoint{asio::ip::address_v4::loopback(), 0}};
    tcp::socket near{context};
    auto accepting = spawn(
        [&acceptor]() -> task<tcp::socket> { co_return co_await acceptor.async_accept(use_task); });
    co_await near.async_connect(acceptor.local_endpoint(), use_task);
    tcp::socket far = co_await accepting;

    std::string sent(5'000'000, 'x'), got(5'000'000, ' ');
    auto writing = spawn([&]() -> task<std::size_t> {
      co_return co_await asio::async_write(near, asio::buffer(sent), use_task);
    });
    std::size_t count = co_await asio::async_read(far, asio::buffer(got), use_task);
    bool all = count == sent.size() && co_await writing == sent.size() && got == sent;

    auto reading =
        spawn([&]() -> task<> { co_await asio::async_read(far, asio::buffer(got), use_task); });
    co_await asio::async_write(near, asio::buffer(sent.data(), 1000), use_task);
    co_await reading.cancel();
    co_return all;
  };
  BOOST_TEST(rt.block_on(exchange));
}

// Goal:   once Asio is in use, a worker that has woken a task never waits before it ran.
// Method: one worker, one byte that goes to and fro: while it is under way nothing else can happen.
BOOST_AUTO_TEST_CASE(sockets_of_net_go_on_while_asio_is_in_use) {
  runtime_config one;
  one.workers = 1;
  runtime single{one};
  auto ping_pong = []() -> task<int> {
    asio::steady_timer timer{io_context_of_current(), 1h};
    auto waiting = spawn([&timer]() -> task<> { co_await timer.async_wait(use_task); });
    connection ends = co_await connect_pair();
    auto answering = spawn([&ends]() -> task<> {
      std::array<char, 1> byte{};
      while (co_await ends.far.read_some(byte))
        co_await ends.far.write_all(std::string_view{byte.data(), 1});
    });
    std::array<char, 1> byte{};
    int rounds = 0;
    for (; rounds < 200; ++rounds) {
      co_await ends.near.write_all("x");
      co_await ends.near.read_exactly(byte);
    }
    co_await ends.near.shutdown();
    co_await answering;
    co_await waiting.cancel();
    co_return rounds;
  };
  BOOST_TEST(single.block_on(ping_pong) == 200);
}

BOOST_AUTO_TEST_CASE(a_task_destroyed_with_its_runtime_leaves_its_operation_alone) {
  event began;
  auto first = std::make_unique<runtime>(config());
  first
      ->spawn([&]() -> task<> {
        asio::steady_timer timer{io_context_of_current(), 1h};
        began.set();
        co_await timer.async_wait(use_task);
      })
      .detach();
  auto wait = [&]() -> task<> { co_await began.wait(); };
  first->block_on(wait);
  BOOST_CHECK_NO_THROW(first.reset());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::net
