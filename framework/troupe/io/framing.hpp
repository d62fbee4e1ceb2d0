#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <troupe/io/stream.hpp>

namespace troupe::io {

class line_reader;

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

}  // namespace troupe::io
