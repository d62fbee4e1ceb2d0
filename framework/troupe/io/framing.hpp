#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <troupe/io/stream.hpp>

namespace troupe::inline v0_1::io {

class line_reader;
class frame_reader;

namespace detail {

/// One line of a line_reader.
class line_operation final : public reading_operation<line_operation, std::optional<std::string>> {
public:
  static constexpr const char* name = "a line from a stream";

  line_operation(stream_device& device, line_reader& reader) noexcept
      : reading_operation{device}, reader_{&reader} {}
  attempt<std::optional<std::string>> attempt_once() noexcept;

private:
  line_reader* reader_;
};

/// One frame of a frame_reader.
class frame_operation final
    : public reading_operation<frame_operation, std::optional<std::string>> {
public:
  static constexpr const char* name = "a frame from a stream";

  frame_operation(stream_device& device, frame_reader& reader) noexcept
      : reading_operation{device}, reader_{&reader} {}
  attempt<std::optional<std::string>> attempt_once() noexcept;

private:
  frame_reader* reader_;
};

}  // namespace detail

/// Cuts what a stream brings into lines that end with "\n" or "\r\n".
///
/// Bytes that were read and are not yet part of a line that was handed over stay here: what reads
/// from the stream itself misses them.
///
/// Requires: the stream stays at its place, and nobody else reads from it, while this is in use.
/// Threads:  the task that reads.
/// Bounds:   no buffer while nothing is held; else at most `max_line_bytes` and one read of 64 KiB.
/// Example:
///     io::line_reader lines{peer, 4096};
///     while (auto line = co_await lines.next_line()) co_await peer.write_all(*line + "\n");
class line_reader {
public:
  static constexpr std::size_t default_max_line_bytes = 64 * 1024;

  explicit line_reader(stream& source, std::size_t max_line_bytes = default_max_line_bytes) noexcept
      : source_{&source}, max_line_bytes_{max_line_bytes} {}

  /// Waits for the next line.
  ///
  /// Returns: the line without its end, of at most `max_line_bytes`; what follows the last line end
  ///          is a line too, if there is something; then nothing, for ever.
  /// Errors:  errc::too_long when a line is longer, now and at every later call, since the rest
  ///          cannot be told apart any more; errors of the stream.
  /// Cancel:  nothing is lost: what was read waits for the next call.
  [[nodiscard]] detail::line_operation next_line() {
    return detail::line_operation{source_->device(), *this};
  }

  /// Returns: the number of bytes read and not yet handed over.
  [[nodiscard]] std::size_t held_bytes() const noexcept { return held_.size() - begin_; }

private:
  friend class detail::line_operation;
  using outcome = io::attempt<std::optional<std::string>>;

  outcome look();
  outcome next_held();
  outcome next_of(std::string_view fresh);
  outcome last_held();
  [[nodiscard]] outcome cut(std::string_view line) const;
  void hold(std::string_view fresh);
  void let_go() noexcept;

  stream* source_;
  std::size_t max_line_bytes_;
  std::string held_;
  std::size_t begin_ = 0;    // What lies before was handed over.
  std::size_t scanned_ = 0;  // No line ends between begin_ and here.
  bool ended_ = false;
  bool too_long_ = false;
};

/// How the length of a frame stands before it: the bits of the number, and which byte comes first.
enum class frame_prefix : unsigned char {
  u8,
  u16_big_endian,
  u16_little_endian,
  u32_big_endian,
  u32_little_endian,
  u64_big_endian,
  u64_little_endian,
};

/// Cuts what a stream brings into frames: the length in a prefix, then so many bytes.
///
/// Bytes that were read and are not yet part of a frame that was handed over stay here: what reads
/// from the stream itself misses them.
///
/// Requires: the stream stays at its place, and nobody else reads from it, while this is in use.
/// Threads:  the task that reads.
/// Bounds:   no buffer while nothing is held. Memory grows with the bytes that have come, and never
///           with a length that was announced: at most twice the sum of `max_frame_bytes`, a prefix
///           and one read of 64 KiB.
/// Example:
///     io::frame_reader frames{peer, 1 << 20};
///     while (auto frame = co_await frames.next_frame()) co_await io::write_frame(peer, *frame);
class frame_reader {
public:
  explicit frame_reader(stream& source, std::size_t max_frame_bytes,
                        frame_prefix prefix = frame_prefix::u32_big_endian) noexcept
      : source_{&source}, max_frame_bytes_{max_frame_bytes}, prefix_{prefix} {}

  /// Waits for the next frame.
  ///
  /// Returns: its bytes without the prefix, which may be none; nothing, for ever, when the peer has
  ///          ended its direction between two frames.
  /// Errors:  errc::too_long when a prefix announces more than `max_frame_bytes`, and
  ///          errc::end_of_stream when the peer ends within a frame: now and at every later call.
  ///          Errors of the stream.
  /// Cancel:  nothing is lost: what was read waits for the next call.
  [[nodiscard]] detail::frame_operation next_frame() {
    return detail::frame_operation{source_->device(), *this};
  }

  /// Returns: the number of bytes read and not yet handed over.
  [[nodiscard]] std::size_t held_bytes() const noexcept { return held_.size() - begin_; }

private:
  friend class detail::frame_operation;
  using outcome = io::attempt<std::optional<std::string>>;

  outcome look();
  outcome next_held();
  outcome last_held();
  [[nodiscard]] std::optional<std::size_t> length_of_next(std::string_view bytes);
  [[nodiscard]] std::string take_held(std::size_t prefix_bytes, std::size_t length);
  void hold(std::string_view fresh);
  outcome fail(boost::system::error_code why) noexcept;
  void let_go() noexcept;

  stream* source_;
  std::size_t max_frame_bytes_;
  frame_prefix prefix_;
  bool ended_ = false;
  boost::system::error_code failed_;
  std::string held_;
  std::size_t begin_ = 0;  // What lies before was handed over.
};

/// Sends one frame: the number of `bytes` as a prefix, then the bytes.
///
/// Requires: `bytes`, and the stream, stay until the await is over.
/// Errors:   errc::too_long when the prefix cannot hold the number: nothing was sent. Those of
///           stream::write_all().
/// Cancel:   as write_all(): when a part has been sent the stream can only be closed.
[[nodiscard]] task<> write_frame(stream& to, std::span<const std::byte> bytes,
                                 frame_prefix prefix = frame_prefix::u32_big_endian);
[[nodiscard]] inline task<> write_frame(stream& to, std::string_view bytes,
                                        frame_prefix prefix = frame_prefix::u32_big_endian) {
  return write_frame(to, std::as_bytes(std::span{bytes}), prefix);
}

}  // namespace troupe::inline v0_1::io
