#include <troupe/io/framing.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <new>
#include <utility>

#include <troupe/io/detail/scratch.hpp>
#include <troupe/io/detail/whole_write.hpp>

namespace troupe::inline v0_1::io {

namespace {

// Returns: what one read brings, to be used up before the task waits; empty at the end of the peer.
attempt<std::string_view> read_once(stream_device& device) {
  std::span<std::byte> buffer = detail::scratch();
  attempt<std::size_t> taken = device.try_read(buffer);
  if (!taken) return std::nullopt;
  if (taken->has_error()) return taken->error();
  device.reading.count(**taken);
  return std::string_view{reinterpret_cast<const char*>(buffer.data()), **taken};
}

}  // namespace

attempt<std::optional<std::string>> detail::line_operation::attempt_once() noexcept {
  try {
    return reader_->look();
  } catch (const std::bad_alloc&) {
    return make_error_code(boost::system::errc::not_enough_memory);
  }
}

line_reader::outcome line_reader::look() {
  for (;;) {
    if (outcome line = next_held()) return line;
    if (ended_) return last_held();
    attempt<std::string_view> fresh = read_once(source_->device());
    if (!fresh) return std::nullopt;
    if (fresh->has_error()) return fresh->error();
    ended_ = (*fresh)->empty();
    if (ended_) continue;
    if (outcome line = next_of(**fresh)) return line;
  }
}

// The next line among the bytes held, or errc::too_long when there can be none.
line_reader::outcome line_reader::next_held() {
  if (too_long_) return make_error_code(errc::too_long);
  std::string_view held{held_};
  std::size_t end = held.find('\n', scanned_);
  if (end == held.npos) {
    scanned_ = held.size();
    // One byte more may be the '\r' of an end that is still to come.
    if (held_bytes() == 0 || held_bytes() - 1 <= max_line_bytes_) return std::nullopt;
    too_long_ = true;
    let_go();
    return make_error_code(errc::too_long);
  }
  outcome line = cut(held.substr(begin_, end - begin_));
  if (line->has_error()) too_long_ = true;
  begin_ = scanned_ = end + 1;
  if (begin_ == held_.size() || too_long_) let_go();
  return line;
}

// Takes over what was just read. When nothing is held, which is the rule where each request is one
// line, the line is cut out without a detour.
line_reader::outcome line_reader::next_of(std::string_view fresh) {
  std::size_t end = held_bytes() == 0 ? fresh.find('\n') : fresh.npos;
  if (end == fresh.npos || end > max_line_bytes_) {
    hold(fresh);
    return std::nullopt;
  }
  outcome line = cut(fresh.substr(0, end));
  hold(fresh.substr(end + 1));
  return line;
}

line_reader::outcome line_reader::last_held() {
  if (held_bytes() == 0) return std::optional<std::string>{};
  std::string_view rest = std::string_view{held_}.substr(begin_);
  outcome line = rest.size() > max_line_bytes_
                     ? outcome{make_error_code(errc::too_long)}
                     : outcome{std::optional<std::string>{std::in_place, rest}};
  if (line->has_error()) too_long_ = true;
  let_go();
  return line;
}

line_reader::outcome line_reader::cut(std::string_view line) const {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.size() > max_line_bytes_) return make_error_code(errc::too_long);
  return std::optional<std::string>{std::in_place, line};
}

void line_reader::hold(std::string_view fresh) {
  if (fresh.empty()) return;
  held_.erase(0, begin_);
  scanned_ -= begin_;
  begin_ = 0;
  held_.append(fresh);
}

void line_reader::let_go() noexcept {
  std::string{}.swap(held_);
  begin_ = scanned_ = 0;
}

// ---- frames

namespace {

struct prefix_form {
  std::size_t size_bytes;
  bool is_little_endian;
};

constexpr prefix_form form_of(frame_prefix prefix) noexcept {
  switch (prefix) {
    case frame_prefix::u8:
      return {1, false};
    case frame_prefix::u16_big_endian:
      return {2, false};
    case frame_prefix::u16_little_endian:
      return {2, true};
    case frame_prefix::u32_big_endian:
      break;
    case frame_prefix::u32_little_endian:
      return {4, true};
    case frame_prefix::u64_big_endian:
      return {8, false};
    case frame_prefix::u64_little_endian:
      return {8, true};
  }
  return {4, false};
}

// Where the byte of weight 256^power stands in a prefix.
constexpr std::size_t place_of(prefix_form form, std::size_t power) noexcept {
  return form.is_little_endian ? power : form.size_bytes - 1 - power;
}

task<> write_parts(stream_device& to, std::span<const std::byte> bytes, prefix_form form) {
  if (form.size_bytes < 8 && bytes.size() >> (8 * form.size_bytes) != 0) {
    throw_error(make_error_code(errc::too_long));
  }
  // One write for a small frame: prefix and bytes are put together.
  std::array<std::byte, 1024> first;
  for (std::size_t power = 0; power < form.size_bytes; ++power) {
    first[place_of(form, power)] =
        static_cast<std::byte>(std::uint64_t{bytes.size()} >> (8 * power));
  }
  std::size_t copied = std::min(bytes.size(), first.size() - form.size_bytes);
  std::copy_n(bytes.begin(), copied, first.begin() + static_cast<std::ptrdiff_t>(form.size_bytes));
  std::span<const std::byte> rest{first.data(), form.size_bytes + copied};
  bytes = bytes.subspan(copied);

  detail::whole_write whole{to.writing};
  while (!rest.empty()) {
    detail::write_operation part{to, rest};
    rest = rest.subspan(co_await part);
    if (rest.empty()) std::swap(rest, bytes);
  }
  whole.finish();
}

}  // namespace

task<> write_frame(stream& to, std::span<const std::byte> bytes, frame_prefix prefix) {
  return write_parts(to.device(), bytes, form_of(prefix));
}

attempt<std::optional<std::string>> detail::frame_operation::attempt_once() noexcept {
  try {
    return reader_->look();
  } catch (const std::bad_alloc&) {
    return make_error_code(boost::system::errc::not_enough_memory);
  }
}

frame_reader::outcome frame_reader::look() {
  for (;;) {
    if (outcome frame = next_held()) return frame;
    if (ended_) return last_held();
    attempt<std::string_view> fresh = read_once(source_->device());
    if (!fresh) return std::nullopt;
    if (fresh->has_error()) return fresh->error();
    ended_ = (*fresh)->empty();
    hold(**fresh);
  }
}

// The next frame, if the bytes held have it all.
frame_reader::outcome frame_reader::next_held() {
  if (failed_.failed()) return failed_;
  std::string_view held = std::string_view{held_}.substr(begin_);
  std::size_t prefix_bytes = form_of(prefix_).size_bytes;
  if (held.size() < prefix_bytes) return std::nullopt;
  std::optional<std::size_t> length = length_of_next(held);
  if (!length) return fail(errc::too_long);
  if (held.size() - prefix_bytes < *length) return std::nullopt;
  return std::optional<std::string>{take_held(prefix_bytes, *length)};
}

frame_reader::outcome frame_reader::last_held() {
  if (held_bytes() == 0) return std::optional<std::string>{};
  return fail(errc::end_of_stream);
}

// Nothing when it is above the limit. Requires: `bytes` has the prefix.
std::optional<std::size_t> frame_reader::length_of_next(std::string_view bytes) {
  prefix_form form = form_of(prefix_);
  std::uint64_t length = 0;
  for (std::size_t power = 0; power < form.size_bytes; ++power) {
    auto byte = static_cast<unsigned char>(bytes[place_of(form, power)]);
    length |= std::uint64_t{byte} << (8 * power);
  }
  if (length > max_frame_bytes_) return std::nullopt;
  return static_cast<std::size_t>(length);
}

// A large frame with nothing behind it is handed over where it lies, so that it is not doubled.
std::string frame_reader::take_held(std::size_t prefix_bytes, std::size_t length) {
  std::size_t end = begin_ + prefix_bytes + length;
  if (end == held_.size() && length >= held_.capacity() / 2) {
    std::string frame = std::exchange(held_, std::string{});
    frame.erase(0, std::exchange(begin_, 0) + prefix_bytes);
    return frame;
  }
  std::string frame = held_.substr(begin_ + prefix_bytes, length);
  begin_ = end;
  if (begin_ == held_.size()) let_go();
  return frame;
}

// Without memory for what was read the place in the stream is lost.
void frame_reader::hold(std::string_view fresh) {
  held_.erase(0, std::exchange(begin_, 0));
  try {
    held_.append(fresh);
  } catch (const std::bad_alloc&) {
    fail(make_error_code(boost::system::errc::not_enough_memory));
  }
}

frame_reader::outcome frame_reader::fail(boost::system::error_code why) noexcept {
  failed_ = why;
  let_go();
  return why;
}

void frame_reader::let_go() noexcept {
  std::string{}.swap(held_);
  begin_ = 0;
}

}  // namespace troupe::inline v0_1::io
