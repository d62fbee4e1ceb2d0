#include <troupe/io/framing.hpp>

#include <new>

#include <troupe/io/detail/scratch.hpp>

namespace troupe::io {

attempt<std::optional<std::string>> detail::line_operation::attempt_once() noexcept {
  try {
    return reader_->look();
  } catch (const std::bad_alloc&) {
    return make_error_code(boost::system::errc::not_enough_memory);
  }
}

line_reader::outcome line_reader::look() {
  stream_device& device = source_->device();
  for (;;) {
    if (outcome line = next_held()) return line;
    if (ended_) return last_held();
    std::span<std::byte> buffer = detail::scratch();
    attempt<std::size_t> taken = device.try_read(buffer);
    if (!taken) return std::nullopt;
    if (taken->has_error()) return taken->error();
    device.reading.count(**taken);
    if (**taken == 0) {
      ended_ = true;
      continue;
    }
    if (outcome line = next_of({reinterpret_cast<const char*>(buffer.data()), **taken})) {
      return line;
    }
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
    if (held_bytes() <= max_line_bytes_ + 1) return std::nullopt;
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

}  // namespace troupe::io
