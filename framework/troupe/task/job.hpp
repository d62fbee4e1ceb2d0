#pragma once

#include <troupe/version.hpp>

namespace troupe::inline v0_1 {

/// A unit of work that can stand in one run queue at a time: a function and a link, no allocation.
///
/// `run` is called once per scheduling, on a worker. It may destroy the job.
struct job {
  using function = void (*)(job&) noexcept;

  explicit job(function f) noexcept : run{f} {}
  job(const job&) = delete;
  job& operator=(const job&) = delete;

  job* next = nullptr;  ///< Owned by the queue that the job stands in.
  function run;
};

}  // namespace troupe::inline v0_1
