#include <array>
#include <stdexcept>

#include <boost/test/unit_test.hpp>

#include <troupe/io/stream.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/select.hpp>
#include <troupe/task/yield.hpp>

#include <io/scripted_wire.hpp>

namespace troupe::io {

namespace {

struct fixture {
  static runtime_config config() {
    runtime_config two;
    two.workers = 2;
    return two;
  }

  runtime rt{config()};
  std::shared_ptr<scripted_wire> wire = std::make_shared<scripted_wire>();
  stream peer = open_scripted(wire);
};

boost::system::error_code code_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const system_error& failed) {
    return failed.code();
  }
}

template <class F>
boost::system::error_code error_of(F f) {
  try {
    f();
  } catch (...) {
    return code_of(std::current_exception());
  }
  return {};
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(stream_, fixture)

BOOST_AUTO_TEST_CASE(read_some_takes_what_is_there_and_then_0_for_the_end) {
  wire->feed("abc");
  wire->end();
  std::array<char, 8> buffer{};
  auto read = [&]() -> task<std::size_t> { co_return co_await peer.read_some(buffer); };
  BOOST_TEST(rt.block_on(read) == 3u);
  BOOST_TEST(std::string_view(buffer.data(), 3) == "abc");
  BOOST_TEST(rt.block_on(read) == 0u);
  BOOST_TEST(rt.block_on(read) == 0u);
  BOOST_TEST(peer.bytes_read() == 3u);
}

BOOST_AUTO_TEST_CASE(read_some_waits_for_bytes_that_come_later) {
  std::array<char, 8> buffer{};
  auto reading =
      rt.spawn([&]() -> task<std::size_t> { co_return co_await peer.read_some(buffer); });
  wire->feed("later");
  auto join = [&]() -> task<std::size_t> { co_return co_await reading; };
  BOOST_TEST(rt.block_on(join) == 5u);
}

// Goal:   a read that loses a race has taken nothing.
// Method: an event always wins against a read for which nothing has come; then the bytes come, and
//         all of them are still there.
BOOST_AUTO_TEST_CASE(cancel_safe_read_some) {
  event other;
  std::array<char, 8> buffer{};
  auto lose_and_read = [&]() -> task<std::string> {
    auto first = co_await select(peer.read_some(buffer), other.wait());
    if (first.index() != 1) throw std::logic_error{"the read has won"};
    wire->feed("whole");
    std::size_t count = co_await peer.read_some(buffer);
    co_return std::string(buffer.data(), count);
  };
  auto running = rt.spawn(lose_and_read);
  other.set();
  auto join = [&]() -> task<std::string> { co_return co_await running; };
  BOOST_TEST(rt.block_on(join) == "whole");
}

BOOST_AUTO_TEST_CASE(a_stopped_read_has_taken_nothing) {
  std::array<char, 8> buffer{};
  auto reading =
      rt.spawn([&]() -> task<std::size_t> { co_return co_await peer.read_some(buffer); });
  auto stop = [&]() -> task<> { co_await reading.cancel(); };
  rt.block_on(stop);
  wire->feed("rest");
  auto read = [&]() -> task<std::size_t> { co_return co_await peer.read_some(buffer); };
  BOOST_TEST(rt.block_on(read) == 4u);
}

BOOST_AUTO_TEST_CASE(read_exactly_fills_its_buffer_over_split_arrivals) {
  wire->max_chunk = 2;
  wire->feed("12345678");
  std::array<char, 7> buffer{};
  auto read = [&]() -> task<> { co_await peer.read_exactly(buffer); };
  rt.block_on(read);
  BOOST_TEST(std::string_view(buffer.data(), 7) == "1234567");
  BOOST_TEST(wire->incoming == "8");
}

BOOST_AUTO_TEST_CASE(read_exactly_refuses_an_end_in_the_middle) {
  wire->feed("123");
  wire->end();
  std::array<char, 4> buffer{};
  auto read = [&]() -> task<> { co_await peer.read_exactly(buffer); };
  BOOST_TEST((error_of([&] { rt.block_on(read); }) == errc::end_of_stream));
}

BOOST_AUTO_TEST_CASE(read_to_end_takes_exactly_its_limit_and_not_one_byte_more) {
  wire->feed("12345");
  wire->end();
  auto read_5 = [&]() -> task<std::string> { co_return co_await peer.read_to_end(5); };
  BOOST_TEST(rt.block_on(read_5) == "12345");

  auto longer = std::make_shared<scripted_wire>();
  stream second = open_scripted(longer);
  longer->max_chunk = 4;
  longer->feed("12345");
  longer->end();
  auto read_4 = [&]() -> task<std::string> { co_return co_await second.read_to_end(4); };
  BOOST_TEST((error_of([&] { rt.block_on(read_4); }) == errc::too_long));
}

BOOST_AUTO_TEST_CASE(discard_to_end_counts_every_byte) {
  wire->max_chunk = 3;
  wire->feed(std::string(100'000, 'x'));
  wire->end();
  auto count = [&]() -> task<std::uint64_t> { co_return co_await peer.discard_to_end(); };
  BOOST_TEST(rt.block_on(count) == 100'000u);
}

BOOST_AUTO_TEST_CASE(write_all_goes_on_where_the_device_had_no_room) {
  wire->room = 3;
  auto writing = rt.spawn([&]() -> task<> { co_await peer.write_all("0123456789"); });
  for (int i = 0; i < 4; ++i) wire->make_room(2);
  auto join = [&]() -> task<> { co_await writing; };
  rt.block_on(join);
  BOOST_TEST(wire->outgoing == "0123456789");
  BOOST_TEST(peer.bytes_written() == 10u);
}

BOOST_AUTO_TEST_CASE(write_some_of_nothing_does_not_wait) {
  wire->room = 0;
  auto write = [&]() -> task<std::size_t> { co_return co_await peer.write_some(""); };
  BOOST_TEST(rt.block_on(write) == 0u);
}

BOOST_AUTO_TEST_CASE(a_write_all_that_was_cut_short_bars_later_writes) {
  wire->room = 3;
  auto writing = rt.spawn([&]() -> task<> { co_await peer.write_all("0123456789"); });
  // A task that ends only when the first part is out.
  auto stop = [&]() -> task<> {
    while (peer.bytes_written() < 3) co_await yield();
    co_await writing.cancel();
  };
  rt.block_on(stop);
  wire->make_room(100);
  auto again = [&]() -> task<> { co_await peer.write_all("again"); };
  BOOST_TEST((error_of([&] { rt.block_on(again); }) == errc::closed));
  BOOST_TEST(wire->outgoing == "012");
}

BOOST_AUTO_TEST_CASE(a_write_all_that_was_stopped_before_its_first_byte_bars_nothing) {
  wire->room = 0;
  auto writing = rt.spawn([&]() -> task<> { co_await peer.write_all("never"); });
  auto stop = [&]() -> task<> { co_await writing.cancel(); };
  rt.block_on(stop);
  wire->make_room(100);
  auto write = [&]() -> task<> { co_await peer.write_all("other"); };
  rt.block_on(write);
  BOOST_TEST(wire->outgoing == "other");
}

BOOST_AUTO_TEST_CASE(as_result_hands_over_the_error_of_the_device) {
  wire->error = make_error_code(boost::system::errc::connection_reset);
  std::array<char, 4> buffer{};
  auto read = [&]() -> task<result<std::size_t>> {
    co_return co_await peer.read_some(buffer).as_result();
  };
  result<std::size_t> outcome = rt.block_on(read);
  BOOST_TEST(outcome.has_error());
  BOOST_TEST((outcome.error() == boost::system::errc::connection_reset));
}

BOOST_AUTO_TEST_CASE(one_task_may_read_while_another_writes) {
  wire->room = 0;
  std::array<char, 4> buffer{};
  auto reading =
      rt.spawn([&]() -> task<std::size_t> { co_return co_await peer.read_some(buffer); });
  auto writing = rt.spawn([&]() -> task<> { co_await peer.write_all("out"); });
  wire->make_room(10);
  wire->feed("in");
  auto join = [&]() -> task<std::size_t> {
    co_await writing;
    co_return co_await reading;
  };
  BOOST_TEST(rt.block_on(join) == 2u);
  BOOST_TEST(wire->outgoing == "out");
}

BOOST_AUTO_TEST_CASE(a_second_reader_is_a_misuse) {
  misuse_handler before =
      set_misuse_handler([](const char* text) { throw std::logic_error{text}; });
  std::array<char, 4> buffer{};
  auto reading =
      rt.spawn([&]() -> task<std::size_t> { co_return co_await peer.read_some(buffer); });
  auto read = [&]() -> task<std::size_t> {
    while (!peer.device().reading.waited_for.load(std::memory_order_relaxed)) co_await yield();
    std::array<char, 4> other{};
    co_return co_await peer.read_some(other);
  };
  BOOST_CHECK_EXCEPTION(rt.block_on(read), std::logic_error, [](const std::logic_error& error) {
    return std::string_view{error.what()}.find("two tasks read from one stream at once") !=
           std::string_view::npos;
  });
  set_misuse_handler(before);
  wire->end();
  auto join = [&]() -> task<std::size_t> { co_return co_await reading; };
  BOOST_TEST(rt.block_on(join) == 0u);
}

BOOST_AUTO_TEST_CASE(shutdown_ends_one_direction_and_the_destructor_closes) {
  {
    stream moved = std::move(peer);
    auto shut_down = [&]() -> task<> { co_await moved.shutdown(); };
    rt.block_on(shut_down);
    BOOST_TEST(wire->shut_down);
    BOOST_TEST(!wire->closed);
    BOOST_TEST(!peer.is_open());
  }
  BOOST_TEST(wire->closed);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::io
