#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/io/framing.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/select.hpp>

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

  // All lines until the end, and the error as a last one.
  std::vector<std::string> lines_of(std::string_view bytes, std::size_t max_line_bytes,
                                    std::size_t max_chunk) {
    wire->max_chunk = max_chunk;
    wire->feed(bytes);
    wire->end();
    auto read = [&]() -> task<std::vector<std::string>> {
      std::vector<std::string> lines;
      line_reader reader{peer, max_line_bytes};
      for (;;) {
        auto line = co_await reader.next_line().as_result();
        if (line.has_error()) {
          lines.push_back("error: " + line.error().message());
          break;
        }
        if (!line->has_value()) break;
        lines.push_back(**line);
      }
      lines.push_back("held: " + std::to_string(reader.held_bytes()));
      co_return lines;
    };
    return rt.block_on(read);
  }
};

using lines = std::vector<std::string>;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(framing_, fixture)

BOOST_AUTO_TEST_CASE(lines_end_with_lf_or_crlf_and_the_last_one_may_end_with_nothing) {
  lines expected{"one", "two", "", "th\rree", "last", "held: 0"};
  auto found = lines_of("one\ntwo\r\n\nth\rree\nlast", 100, 1 << 20);
  BOOST_TEST(found == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(lines_are_the_same_when_every_byte_comes_alone) {
  lines expected{"one", "two", "", "th\rree", "last", "held: 0"};
  auto found = lines_of("one\ntwo\r\n\nth\rree\nlast", 100, 1);
  BOOST_TEST(found == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(with_the_largest_limit_there_is_a_line_may_come_in_pieces) {
  lines expected{"one", "two", "last", "held: 0"};
  auto found = lines_of("one\ntwo\r\nlast", std::numeric_limits<std::size_t>::max(), 1);
  BOOST_TEST(found == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_line_may_have_exactly_the_limit_without_its_end) {
  for (std::size_t chunk : {1u, 2u, 5u, 6u, 7u, 100u}) {
    wire = std::make_shared<scripted_wire>();
    peer = open_scripted(wire);
    lines expected{"12345", "abcde", "x", "held: 0"};
    auto found = lines_of("12345\r\nabcde\nx\n", 5, chunk);
    BOOST_TEST(found == expected, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(a_longer_line_is_an_error_wherever_it_is_cut) {
  for (std::size_t chunk : {1u, 2u, 6u, 7u, 100u}) {
    for (std::string_view bytes : {"ok\n123456\nx\n", "ok\n123456\r\nx\n", "ok\n123456"}) {
      wire = std::make_shared<scripted_wire>();
      peer = open_scripted(wire);
      lines expected{"ok", "error: longer than the limit", "held: 0"};
      auto found = lines_of(bytes, 5, chunk);
      BOOST_TEST(found == expected, boost::test_tools::per_element());
    }
  }
}

BOOST_AUTO_TEST_CASE(after_a_line_that_was_too_long_every_call_fails) {
  wire->feed("123456789\nshort\n");
  wire->end();
  auto read = [&]() -> task<int> {
    line_reader reader{peer, 5};
    int failed = 0;
    for (int i = 0; i < 3; ++i) {
      auto line = co_await reader.next_line().as_result();
      failed += line.has_error() && line.error() == errc::too_long;
    }
    co_return failed;
  };
  BOOST_TEST(rt.block_on(read) == 3);
}

BOOST_AUTO_TEST_CASE(garbage_without_a_line_end_is_refused_before_it_fills_the_memory) {
  std::string garbage(10'000'000, '\0');
  for (std::size_t i = 0; i < garbage.size(); ++i) {
    char byte = static_cast<char>(i * 131 + (i >> 8));
    garbage[i] = byte == '\n' ? 'n' : byte;
  }
  auto found = lines_of(garbage, 1000, 1 << 20);
  lines expected{"error: longer than the limit", "held: 0"};
  BOOST_TEST(found == expected, boost::test_tools::per_element());
  BOOST_TEST(peer.bytes_read() <= 2u * 64 * 1024);
}

BOOST_AUTO_TEST_CASE(bytes_after_a_line_are_held_until_they_were_handed_over) {
  wire->feed("a\nbb\nccc\n");
  auto read = [&]() -> task<std::vector<std::size_t>> {
    line_reader reader{peer};
    std::vector<std::size_t> held;
    for (int i = 0; i < 3; ++i) {
      co_await reader.next_line();
      held.push_back(reader.held_bytes());
    }
    co_return held;
  };
  std::vector<std::size_t> expected{7, 4, 0};
  BOOST_TEST(rt.block_on(read) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(cancel_safe_next_line) {
  event other;
  wire->feed("half ");
  auto lose_and_read = [&]() -> task<std::string> {
    line_reader reader{peer};
    auto first = co_await select(reader.next_line(), other.wait());
    if (first.index() != 1) co_return "the line has won";
    wire->feed("a line\n");
    std::optional<std::string> line = co_await reader.next_line();
    co_return line.value_or("");
  };
  auto running = rt.spawn(lose_and_read);
  other.set();
  auto join = [&]() -> task<std::string> { co_return co_await running; };
  BOOST_TEST(rt.block_on(join) == "half a line");
}

BOOST_AUTO_TEST_CASE(errors_of_the_stream_come_through) {
  wire->error = make_error_code(boost::system::errc::connection_reset);
  auto read = [&]() -> task<std::optional<std::string>> {
    line_reader reader{peer};
    co_return co_await reader.next_line();
  };
  BOOST_CHECK_THROW(rt.block_on(read), system_error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::io
