// A journal's file. Writing and syncing are one piece of work for the blocking pool.

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <troupe/base/result.hpp>
#include <troupe/sched/spawn_blocking.hpp>

#include "journal.hpp"

namespace keyval {

namespace {

[[noreturn]] void fail(const std::string& what) {
  throw troupe::system_error{{errno, boost::system::system_category()}, what};
}

// Shared with the work that is under way, which a cancelled wait does not end.
struct open_file {
  open_file(std::string at, int opened) : path{std::move(at)}, fd{opened} {}
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;
  ~open_file() { ::close(fd); }

  const std::string path;
  const int fd;
};

void write_all(const open_file& to, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t count = ::write(to.fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("cannot write " + to.path);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

std::shared_ptr<open_file> open_or_make(const std::string& path) {
  int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) fail("cannot open " + path);
  auto opened = std::make_shared<open_file>(path, fd);
  // A new file is lost with its machine until its folder is stored.
  std::string folder = path.substr(0, path.rfind('/') + 1);
  int above = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (above < 0) fail("cannot open the folder of " + path);
  int synced = ::fsync(above);
  ::close(above);
  if (synced != 0) fail("cannot store the folder of " + path);
  return opened;
}

class file_disk final : public disk {
public:
  explicit file_disk(std::shared_ptr<open_file> file) noexcept : file_{std::move(file)} {}

  troupe::task<std::string> read(std::uint64_t offset, std::size_t most) override {
    auto work = [file = file_, offset, most] {
      std::string bytes(most, '\0');
      ssize_t count = 0;
      do {
        count = ::pread(file->fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      } while (count < 0 && errno == EINTR);
      if (count < 0) fail("cannot read " + file->path);
      bytes.resize(static_cast<std::size_t>(count));
      return bytes;
    };
    co_return co_await troupe::spawn_blocking(std::move(work));
  }
  troupe::task<> cut(std::uint64_t offset) override {
    auto work = [file = file_, offset] {
      bool is_cut = ::ftruncate(file->fd, static_cast<off_t>(offset)) == 0;
      if (!is_cut || ::fsync(file->fd) != 0) fail("cannot cut " + file->path);
    };
    co_await troupe::spawn_blocking(std::move(work));
  }
  troupe::task<> store(std::string bytes) override {
    auto work = [file = file_, bytes = std::move(bytes)] {
      write_all(*file, bytes);
      if (::fdatasync(file->fd) != 0) fail("cannot store " + file->path);
    };
    co_await troupe::spawn_blocking(std::move(work));
  }

private:
  std::shared_ptr<open_file> file_;
};

}  // namespace

troupe::task<std::unique_ptr<disk>> open_disk(std::string path) {
  auto work = [path = std::move(path)] { return open_or_make(path); };
  std::shared_ptr<open_file> opened = co_await troupe::spawn_blocking(std::move(work));
  co_return std::make_unique<file_disk>(std::move(opened));
}

}  // namespace keyval
