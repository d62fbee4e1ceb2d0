// Decodes: framework/troupe/io/framing.cpp
// A stream cut into lines or frames gives what a decoder gives that has all bytes at once, however
// the peer cuts up what it sends; nothing above the limit is handed over or held.

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <troupe/io/framing.hpp>

#include <fuzz/input.hpp>
#include <fuzz/pieces.hpp>

namespace troupe::fuzz {

namespace {

using io::frame_prefix;
using io::frame_reader;
using io::line_reader;

/// What a reader makes of a stream: all that it hands over, and how that ends.
struct reading {
  std::vector<std::string> parts;
  boost::system::error_code end;

  friend bool operator==(const reading&, const reading&) = default;
};

// ---- what is right, told by all bytes at once

std::size_t no_less(std::size_t limit, std::size_t more) {
  return limit > std::size_t(-1) - more ? limit : limit + more;
}

reading lines_of(std::string_view bytes, std::size_t limit, boost::system::error_code end) {
  reading all;
  for (;;) {
    std::size_t length = bytes.find('\n');
    if (length == bytes.npos) break;
    std::string_view line = bytes.substr(0, length);
    bytes.remove_prefix(length + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() > limit) return {all.parts, errc::too_long};
    all.parts.emplace_back(line);
  }
  // Without its end a line may still have a "\r\n" to come, of which the "\r" is there.
  if (bytes.size() > no_less(limit, end.failed() ? 1 : 0)) return {all.parts, errc::too_long};
  if (!bytes.empty() && !end.failed()) all.parts.emplace_back(bytes);
  all.end = end;
  return all;
}

struct form {
  frame_prefix prefix;
  std::size_t size_bytes;
  bool is_little_endian;
};
constexpr form forms[] = {
    {frame_prefix::u8, 1, false},
    {frame_prefix::u16_big_endian, 2, false},
    {frame_prefix::u16_little_endian, 2, true},
    {frame_prefix::u32_big_endian, 4, false},
    {frame_prefix::u32_little_endian, 4, true},
    {frame_prefix::u64_big_endian, 8, false},
    {frame_prefix::u64_little_endian, 8, true},
};

reading frames_of(std::string_view bytes, std::size_t limit, form of,
                  boost::system::error_code end) {
  reading all;
  while (bytes.size() >= of.size_bytes) {
    std::string prefix{bytes.substr(0, of.size_bytes)};
    if (of.is_little_endian) std::reverse(prefix.begin(), prefix.end());
    std::uint64_t length = 0;
    for (char each : prefix) length = length << 8U | static_cast<unsigned char>(each);
    if (length > limit) return {all.parts, errc::too_long};
    if (bytes.size() - of.size_bytes < length) break;
    all.parts.emplace_back(bytes.substr(of.size_bytes, length));
    bytes.remove_prefix(of.size_bytes + length);
  }
  all.end = end.failed() || bytes.empty() ? end : make_error_code(errc::end_of_stream);
  return all;
}

// ---- what the reader does

/// Reads all with `next`, and checks what must hold at each step.
template <class Next>
reading read_all(Next next, std::size_t limit, std::size_t most_held, const auto& reader) {
  reading all;
  for (;;) {
    io::attempt<std::optional<std::string>> part = next();
    if (!part) {
      require(reader.held_bytes() <= most_held, "no more is held than one part within the limit");
      continue;
    }
    if (part->has_error()) {
      all.end = part->error();
      break;
    }
    if (!part->value()) break;
    require((*part)->value().size() <= limit, "nothing above the limit is handed over");
    all.parts.push_back(std::move((*part)->value()));
  }
  if (all.end != boost::system::errc::connection_reset) {
    require(reader.held_bytes() == 0, "after the end nothing is held");
  }
  auto again = next();
  while (!again) again = next();
  if (all.end.failed()) {
    require(again->has_error() && again->error() == all.end, "an error stays the same");
  } else {
    require(again->has_value() && !again->value(), "the end stays the end");
  }
  return all;
}

boost::system::error_code end_of(const peer& of) {
  return of.breaks ? make_error_code(boost::system::errc::connection_reset)
                   : boost::system::error_code{};
}

reading read_lines(peer from, std::size_t limit) {
  io::stream stream = connect(from);
  line_reader reader{stream, limit};
  return read_all([&] { return reader.next_line().attempt_once(); }, limit, no_less(limit, 1),
                  reader);
}

reading read_frames(peer from, std::size_t limit, form of) {
  io::stream stream = connect(from);
  frame_reader reader{stream, limit, of.prefix};
  return read_all([&] { return reader.next_frame().attempt_once(); }, limit,
                  no_less(limit, of.size_bytes - 1), reader);
}

peer one_piece(const peer& of) { return {.bytes = of.bytes, .breaks = of.breaks}; }

// Returns: how many bytes each part was sent as; 0 for one that was refused.
task<std::vector<std::size_t>> write_frames(io::stream& stream,
                                            const std::vector<std::string>& parts,
                                            frame_prefix prefix) {
  std::vector<std::size_t> sizes;
  for (const std::string& part : parts) {
    std::uint64_t before = stream.bytes_written();
    auto written = io::write_frame(stream, part, prefix);
    try {
      co_await std::move(written);
    } catch (const system_error& error) {
      require(error.code() == errc::too_long, "no other error than too_long");
    }
    sizes.push_back(stream.bytes_written() - before);
  }
  co_return sizes;
}

// What write_frame() sends of the parts is what frame_reader gives back; a part that the prefix
// cannot count is refused, and nothing of it is sent.
void write_and_read(const std::vector<std::string>& parts, form of, std::uint32_t seed) {
  peer to{.bytes = {}, .cuts = cutter{seed}};
  io::stream stream = connect(to);
  auto write = [&] { return write_frames(stream, parts, of.prefix); };
  auto sizes = inline_runtime().block_on(write);
  reading expected;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    bool has_room = of.size_bytes > 1 || parts[i].size() < 256;
    require(sizes[i] == (has_room ? of.size_bytes + parts[i].size() : 0),
            "a frame is sent with its prefix, or refused if that is too small");
    if (has_room) expected.parts.push_back(parts[i]);
  }
  peer back{.bytes = to.received, .cuts = cutter{seed}, .pauses = true};
  require(read_frames(back, 1U << 16U, of) == expected, "what was written is read");
}

}  // namespace

}  // namespace troupe::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace troupe::fuzz;
  input from{data, size};
  unsigned mode = from.byte();
  std::size_t limit = from.two_bytes();
  if (limit == 0xffff) limit = std::size_t(-1);  // As good as none.
  std::uint32_t seed = from.four_bytes();
  form of = forms[mode / 4 % std::size(forms)];
  peer in_pieces{
      .bytes = from.rest(), .cuts = cutter{seed}, .breaks = (mode & 2U) != 0, .pauses = true};
  reading expected = (mode & 1U) != 0 ? lines_of(in_pieces.bytes, limit, end_of(in_pieces))
                                      : frames_of(in_pieces.bytes, limit, of, end_of(in_pieces));
  for (const peer& each : {in_pieces, one_piece(in_pieces)}) {
    reading found = (mode & 1U) != 0 ? read_lines(each, limit) : read_frames(each, limit, of);
    require(found == expected, "read as by a decoder that has all bytes at once");
  }
  if ((mode & 2U) == 0) write_and_read(expected.parts, of, seed);
  return 0;
}
