#pragma once

#include <sys/resource.h>
#include <unistd.h>

namespace troupe::test {

/// Lets the process open no descriptor more while it lives.
class no_more_fds {
public:
  no_more_fds() noexcept {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    int lowest_free = ::dup(0);
    ::close(lowest_free);
    rlimit tight = before_;
    tight.rlim_cur = static_cast<rlim_t>(lowest_free);
    ::setrlimit(RLIMIT_NOFILE, &tight);
  }
  ~no_more_fds() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  no_more_fds(const no_more_fds&) = delete;
  no_more_fds& operator=(const no_more_fds&) = delete;

private:
  rlimit before_{};
};

}  // namespace troupe::test
