#pragma once

#include <functional>

#include <troupe/pal/condition.hpp>
#include <troupe/pal/mutex.hpp>
#include <troupe/pal/thread.hpp>
#include <troupe/task/job.hpp>

namespace troupe::inline v0_1::detail {

/// A thread that runs jobs in the order in which they come: for those whose workers are gone.
class substitute {
public:
  /// Errors: std::system_error when no thread can be made.
  explicit substitute(std::function<void(job&)> run);
  substitute(const substitute&) = delete;
  substitute& operator=(const substitute&) = delete;
  /// Waits for the job that is running. Requires: none is queued.
  ~substitute();

  /// Threads: any.
  void push(job& ready) noexcept;

private:
  void run_all();

  const std::function<void(job&)> run_;
  pal::mutex mutex_;
  pal::condition changed_;
  job* oldest_ = nullptr;
  job* newest_ = nullptr;
  bool stopping_ = false;
  pal::thread thread_;
};

}  // namespace troupe::inline v0_1::detail
