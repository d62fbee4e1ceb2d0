#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <sys/types.h>

#include <troupe/base/result.hpp>
#include <troupe/task/task.hpp>

// Files, by the blocking pool: no file of Linux can be waited for in an epoll set. All functions
// here are for tasks of any runtime, also of one without a network.
//
// Each piece of work owns its buffers and its descriptor. So a cancelled wait ends at once, and
// nothing dangles; but the work goes on alone: what it was to write may be written all the same, in
// whole, in part or not at all. What must be known is awaited under shield().

namespace troupe::inline v0_1::net {

/// Reads a whole file.
///
/// Returns: its bytes, at most `max_bytes`.
/// Errors:  system_error, whose text names the path: errc::too_long when there are more, ENOENT,
///          EISDIR, ...
/// Cancel:  nothing is lost.
/// Bounds:  memory for what is there, at most `max_bytes` and 64 KiB.
/// Example: `std::string text = co_await net::read_file("settings.json", 1'000'000);`
[[nodiscard]] task<std::string> read_file(std::string path, std::size_t max_bytes);

/// What write_file() does with a file that is there.
enum class write_mode {
  truncate,  ///< Writes over it.
  append,    ///< Writes behind its end; each call as one write where the system can.
  replace,   ///< Writes a new file beside it, has it stored, and puts it in its place: a reader, or
             ///< a machine that crashes, has the old bytes or the new ones. A link is followed; the
             ///< new file gets the permissions of the old one, but not its owner.
};

struct write_options {
  write_mode mode = write_mode::truncate;
  mode_t permissions = 0666;  ///< Of a new file, less the umask.
  bool is_synced = false;     ///< Waits until the bytes are stored (fsync); `replace` always does.
};

/// Writes `bytes` to a file, which it makes where there is none.
///
/// Errors: system_error, whose text names the path. After one, or a cancelled wait, any part may
///         have been written; with write_mode::replace all or nothing.
/// Example: `co_await net::write_file("state", text, {net::write_mode::replace});`
[[nodiscard]] task<> write_file(std::string path, std::string bytes,
                                write_options options = write_options{});

/// How a file is opened.
enum class open_mode {
  read,       ///< To read what is there.
  write,      ///< To read and write; made where there is none, and kept as it is.
  overwrite,  ///< The same, but emptied.
  create,     ///< The same, but an error (EEXIST) where there is one.
};

/// An open file, read and written at given places. Move-only; its destructor closes it.
///
/// Threads: any number of tasks at a time; what overlaps is in no order.
/// Example:
///     net::file log = co_await net::file::open("log", net::open_mode::write);
///     co_await log.write_all_at(co_await log.size(), "one more line\n");
class file {
public:
  /// Errors: system_error, whose text names the path.
  [[nodiscard]] static task<file> open(std::string path, open_mode mode, mode_t permissions = 0666);

  /// Reads what is at `offset`. Returns: at most `max_bytes`; fewer only at the end of the file;
  /// nothing behind it.
  [[nodiscard]] task<std::string> read_at(std::uint64_t offset, std::size_t max_bytes);

  /// Writes all of `bytes` at `offset`; the file grows as needed.
  [[nodiscard]] task<> write_all_at(std::uint64_t offset, std::string bytes);

  /// Returns: its size in bytes.
  [[nodiscard]] task<std::uint64_t> size();
  /// Cuts it off, or fills it up with zeros.
  [[nodiscard]] task<> resize(std::uint64_t size_bytes);
  /// Waits until what was written is stored: contents and what is needed to find them again.
  [[nodiscard]] task<> sync();

  /// Lets go of the file: it is closed when the work that is under way has ended.
  void close() noexcept { shared_.reset(); }
  /// Returns: false after close() and for a file that was moved from.
  [[nodiscard]] bool is_open() const noexcept { return shared_ != nullptr; }

private:
  struct shared;
  explicit file(std::shared_ptr<shared> opened) noexcept : shared_{std::move(opened)} {}
  [[nodiscard]] const std::shared_ptr<shared>& opened() const;

  std::shared_ptr<shared> shared_;
};

}  // namespace troupe::inline v0_1::net
