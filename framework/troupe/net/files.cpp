#include <troupe/net/files.hpp>

#include <utility>

#include <sys/stat.h>
#include <unistd.h>

#include <troupe/base/assert.hpp>
#include <troupe/net/detail/file_work.hpp>
#include <troupe/net/detail/owned_fd.hpp>
#include <troupe/sched/spawn_blocking.hpp>

namespace troupe::inline v0_1::net {

/// What the pieces of work on a file keep open together.
struct file::shared {
  detail::owned_fd fd;
  std::string path;
};

namespace {

// Runs `work` on the blocking pool; what it fails with is told with `failed` and the path.
template <class Work>
auto run_blocking(Work work, const char* failed, std::string path)
    -> task<typename std::invoke_result_t<Work&>::value_type> {
  try {
    co_return co_await spawn_blocking(std::move(work));
  } catch (const system_error& error) {
    throw system_error{error.code(), failed + path};
  }
}

}  // namespace

task<std::string> read_file(std::string path, std::size_t max_bytes) {
  auto work = [path, max_bytes] { return detail::read_whole(path, max_bytes); };
  return run_blocking(std::move(work), "cannot read ", std::move(path));
}

task<> write_file(std::string path, std::string bytes, write_options options) {
  auto work = [path, bytes = std::move(bytes), options] {
    return detail::write_whole(path, bytes, options);
  };
  return run_blocking(std::move(work), "cannot write ", std::move(path));
}

task<file> file::open(std::string path, open_mode mode, mode_t permissions) {
  // Handed over as what closes itself: nobody may be there any more when it is open.
  auto work = [path, mode, permissions]() -> result<std::shared_ptr<shared>> {
    auto made = std::make_shared<shared>();
    result<int> opened = detail::open_file(path, mode, permissions);
    if (opened.has_error()) return opened.error();
    made->fd.reset(*opened);
    made->path = path;
    return made;
  };
  auto opened = co_await run_blocking(std::move(work), "cannot open ", std::move(path));
  co_return file{std::move(opened)};
}

task<std::string> file::read_at(std::uint64_t offset, std::size_t max_bytes) {
  auto work = [of = opened(), offset, max_bytes] {
    return detail::read_part(of->fd.get(), offset, max_bytes);
  };
  return run_blocking(std::move(work), "cannot read ", shared_->path);
}

task<> file::write_all_at(std::uint64_t offset, std::string bytes) {
  auto work = [of = opened(), offset, bytes = std::move(bytes)] {
    return detail::write_part(of->fd.get(), offset, bytes);
  };
  return run_blocking(std::move(work), "cannot write ", shared_->path);
}

task<std::uint64_t> file::size() {
  auto work = [of = opened()]() -> result<std::uint64_t> {
    struct stat seen{};
    if (::fstat(of->fd.get(), &seen) != 0) return detail::last_error();
    return static_cast<std::uint64_t>(seen.st_size);
  };
  return run_blocking(std::move(work), "cannot look at ", shared_->path);
}

task<> file::resize(std::uint64_t size_bytes) {
  auto work = [of = opened(), size_bytes]() -> result<void> {
    if (::ftruncate(of->fd.get(), static_cast<off_t>(size_bytes)) != 0) return detail::last_error();
    return {};
  };
  return run_blocking(std::move(work), "cannot resize ", shared_->path);
}

task<> file::sync() {
  auto work = [of = opened()]() -> result<void> {
    if (::fsync(of->fd.get()) != 0) return detail::last_error();
    return {};
  };
  return run_blocking(std::move(work), "cannot store ", shared_->path);
}

const std::shared_ptr<file::shared>& file::opened() const {
  if (!shared_)
    misuse("a file was used after it was closed or moved from: use the one that has it now [I10]");
  return shared_;
}

}  // namespace troupe::inline v0_1::net
