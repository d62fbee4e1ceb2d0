// Decodes: framework/troupe/io/stream.cpp
// What takes a whole text off a stream, or puts one there, does it the same way in whatever pieces
// the text goes, and keeps its limit.

#include <optional>
#include <string>
#include <string_view>

#include <troupe/io/stream.hpp>

#include <fuzz/input.hpp>
#include <fuzz/pieces.hpp>

namespace troupe::fuzz {

namespace {

/// Runs `body` on a stream from `of`. Returns: its error, if it fails.
template <class Body>
boost::system::error_code run(peer& of, Body body) {
  io::stream stream = connect(of);
  auto all = [&]() -> task<> {
    auto done = body(stream);
    co_await std::move(done);
    bool is_counted = stream.bytes_read() == of.sent;
    is_counted = is_counted && stream.bytes_written() == of.received.size();
    require(is_counted, "all bytes are counted");
  };
  try {
    inline_runtime().block_on(all);
  } catch (const system_error& error) {
    return error.code();
  }
  return {};
}

void read_to_end(peer from, std::size_t limit) {
  std::string found;
  auto error =
      run(from, [&](io::stream& stream) -> task<> { found = co_await stream.read_to_end(limit); });
  if (from.bytes.size() > limit) {
    require(error == errc::too_long, "more than the limit is refused");
  } else if (from.breaks) {
    require(error == boost::system::errc::connection_reset, "an error of the stream comes through");
  } else {
    require(!error.failed() && found == from.bytes, "all bytes come in their order");
  }
}

void read_exactly(peer from, std::size_t wanted) {
  std::string found(wanted, '\0');
  auto error = run(from, [&](io::stream& stream) -> task<> {
    co_await stream.read_exactly(std::span<char>{found});
  });
  std::string_view read = std::string_view{from.bytes}.substr(0, wanted);
  require(from.sent == read.size(), "no byte is taken that was not asked for");
  require(found.starts_with(read), "the bytes come in their order");
  if (from.bytes.size() >= wanted) {
    require(!error.failed(), "what is there can be read");
  } else if (from.breaks) {
    require(error == boost::system::errc::connection_reset, "an error of the stream comes through");
  } else {
    require(error == errc::end_of_stream, "the end comes too early");
  }
}

void discard_to_end(peer from) {
  std::uint64_t count = 0;
  auto error =
      run(from, [&](io::stream& stream) -> task<> { count = co_await stream.discard_to_end(); });
  require(error.failed() == from.breaks, "fails if the peer breaks");
  require(from.sent == from.bytes.size(), "all is taken");
  if (!from.breaks) require(count == from.bytes.size(), "all is counted");
}

void write_all(peer to) {
  auto error = run(to, [&](io::stream& stream) -> task<> {
    co_await stream.write_all(to.bytes);
    co_await stream.shutdown();
  });
  bool is_refused = to.breaks && !to.bytes.empty();
  require(error.failed() == is_refused, "fails if the peer breaks");
  if (!is_refused) require(to.received == to.bytes && to.shut_down, "all bytes are sent in order");
}

}  // namespace

}  // namespace troupe::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace troupe::fuzz;
  input from{data, size};
  bool breaks = from.byte() % 2 != 0;
  std::size_t limit = from.two_bytes() % 1024;
  cutter cuts{from.four_bytes()};
  peer made{.bytes = from.rest(), .cuts = cuts, .breaks = breaks, .pauses = true};
  read_to_end(made, limit);
  read_exactly(made, limit);
  discard_to_end(made);
  write_all(made);
  return 0;
}
