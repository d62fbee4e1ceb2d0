#include <array>
#include <optional>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/io/framing.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/select.hpp>

#include <io/scripted_wire.hpp>
#include <sched/two_workers.hpp>
#include <threads.hpp>

namespace troupe::io {

namespace {

constexpr std::array all_prefixes{
    frame_prefix::u8,
    frame_prefix::u16_big_endian,
    frame_prefix::u16_little_endian,
    frame_prefix::u32_big_endian,
    frame_prefix::u32_little_endian,
    frame_prefix::u64_big_endian,
    frame_prefix::u64_little_endian,
};

using texts = std::vector<std::string>;

// All frames until the end or an error, which comes as a last one.
task<texts> all_frames(stream& peer, std::size_t max_bytes, frame_prefix prefix) {
  texts frames;
  frame_reader reader{peer, max_bytes, prefix};
  for (;;) {
    auto frame = co_await reader.next_frame().as_result();
    if (frame.has_error()) {
      frames.push_back("error: " + frame.error().message());
      break;
    }
    if (!frame->has_value()) break;
    frames.push_back(**frame);
  }
  frames.push_back("held: " + std::to_string(reader.held_bytes()));
  co_return frames;
}

struct fixture : test::two_workers {
  std::shared_ptr<scripted_wire> wire = std::make_shared<scripted_wire>();
  stream peer = open_scripted(wire);

  void reconnect() {
    wire = std::make_shared<scripted_wire>();
    peer = open_scripted(wire);
  }

  texts frames_of(std::string_view bytes, std::size_t max_bytes,
                  frame_prefix prefix = frame_prefix::u32_big_endian,
                  std::size_t max_chunk = 1 << 20) {
    wire->max_chunk = max_chunk;
    wire->feed(bytes);
    wire->end();
    auto read = [&]() -> task<texts> { return all_frames(peer, max_bytes, prefix); };
    return rt.block_on(read);
  }

  void write(std::string_view bytes, frame_prefix prefix = frame_prefix::u32_big_endian) {
    rt.block_on([&]() -> task<> { return write_frame(peer, bytes, prefix); });
  }
};

// `count` as a prefix of four bytes, and what follows it.
std::string framed(std::uint32_t count, std::string_view bytes) {
  std::string all;
  for (unsigned shift : {24u, 16u, 8u, 0u}) all += static_cast<char>(count >> shift);
  return all.append(bytes);
}
std::string framed(std::string_view bytes) {
  return framed(static_cast<std::uint32_t>(bytes.size()), bytes);
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(frames_, fixture)

BOOST_AUTO_TEST_CASE(each_prefix_stands_before_the_bytes_as_its_name_says) {
  using namespace std::string_literals;
  std::vector<std::string> expected{"\3abc"s,
                                    "\0\3abc"s,
                                    "\3\0abc"s,
                                    "\0\0\0\3abc"s,
                                    "\3\0\0\0abc"s,
                                    "\0\0\0\0\0\0\0\3abc"s,
                                    "\3\0\0\0\0\0\0\0abc"s};
  for (std::size_t i = 0; i < all_prefixes.size(); ++i) {
    reconnect();
    write("abc", all_prefixes[i]);
    BOOST_TEST((wire->outgoing == expected[i]), "prefix " << i);
  }
  reconnect();
  write(std::string(258, 'x'), frame_prefix::u16_big_endian);
  BOOST_TEST((wire->outgoing.substr(0, 2) == "\1\2"s));
  reconnect();
  write(std::string(258, 'x'), frame_prefix::u32_little_endian);
  BOOST_TEST((wire->outgoing.substr(0, 4) == "\2\1\0\0"s));
}

BOOST_AUTO_TEST_CASE(what_was_written_is_read_whatever_the_prefix_and_the_pieces) {
  texts sent{"", "one", std::string(255, 'a'), "\0\n\xff", std::string(200, 'z'), ""};
  for (frame_prefix prefix : all_prefixes) {
    for (std::size_t chunk : {1u, 2u, 3u, 7u, 256u, 100'000u}) {
      reconnect();
      wire->max_chunk = chunk;
      for (const auto& each : sent) write(each, prefix);
      std::string bytes = wire->outgoing;
      texts expected = sent;
      expected.emplace_back("held: 0");
      BOOST_TEST(frames_of(bytes, 255, prefix, chunk) == expected,
                 boost::test_tools::per_element());
    }
  }
}

BOOST_AUTO_TEST_CASE(large_frames_pass_whole_in_one_byte_writes_too) {
  std::string large(200'000, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 131 + (i >> 8));
  for (std::size_t size : {1019u, 1020u, 1021u, 200'000u}) {
    for (std::size_t chunk : {1u, 1000u, 1u << 20}) {
      if (chunk == 1 && size > 2000 && test::is_slow_build) continue;
      reconnect();
      wire->max_chunk = chunk;
      std::string_view part = std::string_view{large}.substr(0, size);
      write(part);
      std::string bytes = wire->outgoing + framed("behind");
      texts found = frames_of(bytes, 200'000, frame_prefix::u32_big_endian, chunk);
      BOOST_TEST_REQUIRE(found.size() == 3u);
      BOOST_TEST((found[0] == part));
      BOOST_TEST(found[1] == "behind");
    }
  }
}

BOOST_AUTO_TEST_CASE(a_small_frame_is_one_write) {
  // A device that has room for all takes prefix and bytes at once.
  struct counting_device final : stream_device {
    int writes = 0;
    attempt<std::size_t> try_read(std::span<std::byte>) noexcept override { return std::size_t{0}; }
    attempt<std::size_t> try_write(std::span<const std::byte> from) noexcept override {
      ++writes;
      return from.size();
    }
    attempt<void> try_shutdown() noexcept override { return result<void>{}; }
    bool enlist_read(waker) noexcept override { return false; }
    void delist_read() noexcept override {}
    bool enlist_write(waker) noexcept override { return false; }
    void delist_write() noexcept override {}
    std::string local_address() const override { return ""; }
    std::string peer_address() const override { return ""; }
    void close() noexcept override {}
  } device;
  stream to{stream_device_ptr{&device}};
  rt.block_on([&]() -> task<> { return write_frame(to, "small"); });
  BOOST_TEST(device.writes == 1);
}

BOOST_AUTO_TEST_CASE(a_frame_may_have_exactly_the_limit_and_a_longer_one_is_refused_at_its_prefix) {
  for (std::size_t chunk : {1u, 3u, 4u, 5u, 100u}) {
    reconnect();
    texts expected{"12345", "error: longer than the limit", "held: 0"};
    auto found = frames_of(framed("12345") + framed("123456") + framed("x"), 5,
                           frame_prefix::u32_big_endian, chunk);
    BOOST_TEST(found == expected, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(after_a_frame_that_was_too_long_or_cut_off_every_call_fails) {
  for (bool is_long : {true, false}) {
    reconnect();
    wire->feed(is_long ? framed(6, "123456") + framed("x") : framed(5, "12"));
    wire->end();
    boost::system::error_code wanted = is_long ? errc::too_long : errc::end_of_stream;
    auto read = [&]() -> task<int> {
      frame_reader reader{peer, 5};
      int failed = 0;
      for (int i = 0; i < 3; ++i) {
        auto frame = co_await reader.next_frame().as_result();
        failed += frame.has_error() && frame.error() == wanted;
      }
      co_return failed;
    };
    BOOST_TEST(rt.block_on(read) == 3);
  }
}

BOOST_AUTO_TEST_CASE(the_end_between_two_frames_is_nothing_and_stays_so) {
  wire->feed(framed("last"));
  wire->end();
  auto read = [&]() -> task<int> {
    frame_reader reader{peer, 10};
    co_await reader.next_frame();
    int nothing = 0;
    for (int i = 0; i < 3; ++i) {
      auto frame = co_await reader.next_frame();
      nothing += !frame.has_value();
    }
    co_return nothing;
  };
  BOOST_TEST(rt.block_on(read) == 3);
}

BOOST_AUTO_TEST_CASE(an_end_anywhere_within_a_frame_is_end_of_stream) {
  std::string whole = framed("bytes");
  for (std::size_t cut = 1; cut < whole.size(); ++cut) {
    for (std::size_t chunk : {1u, 100u}) {
      reconnect();
      texts expected{"before", "error: end of stream", "held: 0"};
      auto found = frames_of(framed("before") + whole.substr(0, cut), 100,
                             frame_prefix::u32_big_endian, chunk);
      BOOST_TEST(found == expected, boost::test_tools::per_element());
    }
  }
}

// Goal:   a peer that announces 4 GiB, and sends little, costs little.
BOOST_AUTO_TEST_CASE(memory_grows_with_the_bytes_that_came_and_not_with_the_announced_length) {
  for (frame_prefix prefix : {frame_prefix::u32_big_endian, frame_prefix::u64_big_endian,
                              frame_prefix::u64_little_endian}) {
    reconnect();
    std::string bytes(prefix == frame_prefix::u32_big_endian ? 4 : 8, '\xff');
    wire->feed(bytes + "some");
    wire->end();
    // A limit under which all lengths pass: it would be 16 EiB.
    auto found = rt.block_on([&]() -> task<texts> { return all_frames(peer, SIZE_MAX, prefix); });
    BOOST_TEST(found == (texts{"error: end of stream", "held: 0"}),
               boost::test_tools::per_element());
  }
  reconnect();
  auto found = frames_of(framed(0xffffffff, "some"), 1 << 20);
  BOOST_TEST(found == (texts{"error: longer than the limit", "held: 0"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_small_frame_at_the_end_of_a_large_read_keeps_no_large_buffer) {
  std::string bytes;
  for (int i = 0; i < 1000; ++i) bytes += framed("0123456789012345678901234567890123456789");
  wire->feed(bytes);
  auto read = [&]() -> task<std::size_t> {
    frame_reader reader{peer, 100};
    std::size_t largest = 0;
    for (int i = 0; i < 1000; ++i) {
      auto frame = co_await reader.next_frame();
      largest = std::max(largest, frame->capacity());
    }
    BOOST_TEST(reader.held_bytes() == 0u);
    co_return largest;
  };
  BOOST_TEST(rt.block_on(read) <= 100u);
}

BOOST_AUTO_TEST_CASE(cancel_safe_next_frame) {
  event other;
  std::string whole = framed("a whole frame");
  wire->feed(whole.substr(0, 9));
  auto lose_and_read = [&]() -> task<std::string> {
    frame_reader reader{peer, 100};
    auto first = co_await select(reader.next_frame(), other.wait());
    if (first.index() != 1) co_return "the frame has won";
    wire->feed(whole.substr(9));
    std::optional<std::string> frame = co_await reader.next_frame();
    co_return frame.value_or("");
  };
  auto running = rt.spawn(lose_and_read);
  other.set();
  auto join = [&]() -> task<std::string> { co_return co_await running; };
  BOOST_TEST(rt.block_on(join) == "a whole frame");
}

BOOST_AUTO_TEST_CASE(a_reset_within_a_frame_comes_through) {
  wire->feed(framed(100, "a part"));
  auto read = [&]() -> task<std::optional<std::string>> {
    frame_reader reader{peer, 100};
    co_return co_await reader.next_frame();
  };
  auto reading = rt.spawn(read);
  test::wait_until([&] { return peer.bytes_read() == 10; });
  {
    pal::lock guard{wire->mutex};
    wire->error = make_error_code(boost::system::errc::connection_reset);
    wire->reader.wake();
  }
  auto join = [&]() -> task<std::optional<std::string>> { co_return co_await reading; };
  BOOST_CHECK_EXCEPTION(rt.block_on(join), system_error, [](const system_error& error) {
    return error.code() == boost::system::errc::connection_reset;
  });
}

BOOST_AUTO_TEST_CASE(a_frame_that_its_prefix_cannot_count_is_refused_unsent) {
  auto is_too_long = [](const system_error& error) { return error.code() == errc::too_long; };
  write(std::string(255, 'x'), frame_prefix::u8);
  BOOST_TEST(wire->outgoing.size() == 256u);
  BOOST_CHECK_EXCEPTION(write(std::string(256, 'x'), frame_prefix::u8), system_error, is_too_long);
  std::string large(65'536, 'x');
  for (frame_prefix prefix : {frame_prefix::u16_big_endian, frame_prefix::u16_little_endian}) {
    BOOST_CHECK_EXCEPTION(write(large, prefix), system_error, is_too_long);
  }
  BOOST_TEST(wire->outgoing.size() == 256u);
  write("next", frame_prefix::u8);  // The stream is as good as before.
  BOOST_TEST(wire->outgoing.size() == 261u);
}

// The first bytes go out with the prefix, the rest by itself: a stop between the two bars the
// stream too.
BOOST_AUTO_TEST_CASE(a_write_that_was_cut_short_bars_the_stream) {
  for (std::size_t room : {0u, 2u, 4u, 100u, 1024u, 1500u}) {
    reconnect();
    wire->room = room;
    auto writing =
        rt.spawn([&]() -> task<> { co_await write_frame(peer, std::string(2000, 'x')); });
    test::wait_until([&] { return peer.bytes_written() == room; });
    auto stop_and_retry = [&]() -> task<boost::system::error_code> {
      co_await writing.cancel();
      wire->make_room(10'000);
      auto retried = co_await peer.write_some("more").as_result();
      co_return retried.has_error() ? retried.error() : boost::system::error_code{};
    };
    boost::system::error_code expected;
    if (room > 0) expected = errc::closed;
    BOOST_TEST(rt.block_on(stop_and_retry) == expected);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::io
