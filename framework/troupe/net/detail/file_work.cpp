#include <troupe/net/detail/file_work.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <troupe/net/detail/owned_fd.hpp>
#include <troupe/pal/atomic.hpp>

namespace troupe::inline v0_1::net::detail {

namespace {

constexpr std::size_t step_bytes = 64 * 1024;

// Calls again what a signal has cut short.
template <class Call>
auto uninterrupted(Call call) noexcept {
  auto returned = call();
  while (returned < 0 && errno == EINTR) returned = call();
  return returned;
}

result<owned_fd> open_at(const std::string& path, int flags, mode_t permissions = 0) noexcept {
  if (path.find('\0') != path.npos) return make_error_code(boost::system::errc::invalid_argument);
  owned_fd opened{
      uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, permissions); })};
  if (opened.get() < 0) return last_error();
  return opened;
}

result<void> write_all(int fd, std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    ssize_t count = uninterrupted([&] { return ::write(fd, bytes.data(), bytes.size()); });
    if (count < 0) return last_error();
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

result<void> sync_file(int fd) noexcept {
  if (uninterrupted([&] { return ::fsync(fd); }) != 0) return last_error();
  return {};
}

// The file that `path` leads to, past all links; `path` itself where there is none yet.
std::string past_links(const std::string& path) {
  std::unique_ptr<char, decltype(&std::free)> real{::realpath(path.c_str(), nullptr), &std::free};
  return real ? std::string{real.get()} : path;
}

std::string folder_of(const std::string& path) {
  std::size_t slash = path.rfind('/');
  if (slash == path.npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// A name beside `path` that no other call, in no process, uses at this time.
std::string name_beside(const std::string& path) {
  static pal::atomic<unsigned> number{0};
  return path + "." + std::to_string(::getpid()) + "-" +
         std::to_string(number.fetch_add(1, std::memory_order_relaxed)) + ".new";
}

result<void> fill_and_rename(owned_fd filled, const std::string& from, const std::string& to,
                             std::string_view bytes) noexcept {
  struct stat former{};
  if (::stat(to.c_str(), &former) == 0 && ::fchmod(filled.get(), former.st_mode & ALLPERMS) != 0) {
    return last_error();
  }
  if (auto written = write_all(filled.get(), bytes); written.has_error()) return written;
  if (auto stored = sync_file(filled.get()); stored.has_error()) return stored;
  if (::rename(from.c_str(), to.c_str()) != 0) return last_error();
  return {};
}

result<void> replace(const std::string& path, std::string_view bytes, mode_t permissions) {
  std::string target = past_links(path), beside;
  result<owned_fd> made = make_error_code(boost::system::errc::file_exists);
  while (made.has_error() && made.error() == boost::system::errc::file_exists) {
    beside = name_beside(target);
    made = open_at(beside, O_WRONLY | O_CREAT | O_EXCL, permissions);
  }
  if (made.has_error()) return made.error();
  auto replaced = fill_and_rename(std::move(*made), beside, target, bytes);
  if (replaced.has_error()) {
    ::unlink(beside.c_str());
    return replaced;
  }
  // The new name is stored with its folder. Some file systems cannot sync one: then they need not.
  result<owned_fd> folder = open_at(folder_of(target), O_RDONLY | O_DIRECTORY);
  if (folder.has_value()) {
    auto stored = sync_file(folder->get());
    if (stored.has_error() && stored.error() != boost::system::errc::invalid_argument) {
      return stored;
    }
  }
  return {};
}

}  // namespace

result<std::string> read_whole(const std::string& path, std::size_t max_bytes) {
  result<owned_fd> opened = open_at(path, O_RDONLY);
  if (opened.has_error()) return opened.error();
  std::string all;
  struct stat seen{};
  if (::fstat(opened->get(), &seen) == 0 && seen.st_size > 0) {
    all.reserve(std::min(max_bytes, static_cast<std::size_t>(seen.st_size)));
  }
  // The size is only a hint: those of /proc say 0, others grow.
  auto buffer = std::make_unique_for_overwrite<char[]>(step_bytes);
  for (;;) {
    ssize_t count = uninterrupted([&] { return ::read(opened->get(), buffer.get(), step_bytes); });
    if (count < 0) return last_error();
    if (count == 0) return all;
    auto taken = static_cast<std::size_t>(count);
    if (taken > max_bytes - all.size()) return make_error_code(errc::too_long);
    all.append(buffer.get(), taken);
  }
}

result<void> write_whole(const std::string& path, std::string_view bytes,
                         const write_options& options) {
  if (path.find('\0') != path.npos) return make_error_code(boost::system::errc::invalid_argument);
  if (options.mode == write_mode::replace) return replace(path, bytes, options.permissions);
  int how = options.mode == write_mode::append ? O_APPEND : O_TRUNC;
  result<owned_fd> opened = open_at(path, O_WRONLY | O_CREAT | how, options.permissions);
  if (opened.has_error()) return opened.error();
  auto written = write_all(opened->get(), bytes);
  if (written.has_error() || !options.is_synced) return written;
  return sync_file(opened->get());
}

result<int> open_file(const std::string& path, open_mode mode, mode_t permissions) noexcept {
  int flags = O_RDONLY;
  if (mode == open_mode::write) flags = O_RDWR | O_CREAT;
  if (mode == open_mode::overwrite) flags = O_RDWR | O_CREAT | O_TRUNC;
  if (mode == open_mode::create) flags = O_RDWR | O_CREAT | O_EXCL;
  result<owned_fd> opened = open_at(path, flags, permissions);
  if (opened.has_error()) return opened.error();
  return opened->release();
}

result<std::string> read_part(int fd, std::uint64_t offset, std::size_t max_bytes) {
  // As far as the file goes, and not as far as the caller would like to have it.
  std::string part;
  struct stat seen{};
  if (::fstat(fd, &seen) != 0) return last_error();
  auto size_bytes = static_cast<std::uint64_t>(seen.st_size);
  if (offset >= size_bytes) return part;
  part.resize(static_cast<std::size_t>(std::min<std::uint64_t>(max_bytes, size_bytes - offset)));
  std::size_t filled = 0;
  while (filled < part.size()) {
    ssize_t count = uninterrupted([&] {
      return ::pread(fd, part.data() + filled, part.size() - filled,
                     static_cast<off_t>(offset + filled));
    });
    if (count < 0) return last_error();
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  part.resize(filled);
  return part;
}

result<void> write_part(int fd, std::uint64_t offset, std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    ssize_t count = uninterrupted(
        [&] { return ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
    if (count < 0) return last_error();
    bytes.remove_prefix(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return {};
}

}  // namespace troupe::inline v0_1::net::detail
