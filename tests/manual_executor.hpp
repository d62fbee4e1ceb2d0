#pragma once

#include <cstddef>
#include <deque>

#include <boost/test/unit_test.hpp>

#include <troupe/task/context.hpp>
#include <troupe/task/core.hpp>
#include <troupe/task/executor.hpp>

namespace troupe::test {

/// An executor without threads: the test runs ready jobs one at a time, in the order that it wants,
/// and plays all other threads between the turns. While it lives the calling thread is its worker.
class manual_executor final : public executor {
public:
  manual_executor() {
    context_.exec = this;
    detail::current_context_pointer = &context_;
  }
  ~manual_executor() {
    detail::current_context_pointer = nullptr;
    BOOST_CHECK_EQUAL(live(), 0u);  // Otherwise cells stay behind that name this executor.
  }
  manual_executor(const manual_executor&) = delete;
  manual_executor& operator=(const manual_executor&) = delete;

  void schedule(job& ready) noexcept override { ready_.push_back(&ready); }
  void schedule_back(job& ready) noexcept override { ready_.push_back(&ready); }
  void count_foreign_spawn() noexcept override { context_.spawned.increment(); }
  [[nodiscard]] pal::clock& clock() const noexcept override { return clock_; }

  [[nodiscard]] std::size_t ready() const noexcept { return ready_.size(); }

  /// Runs one turn of the job at `index` of those that are ready.
  void run_one(std::size_t index = 0) {
    job* next = ready_.at(index);
    ready_.erase(ready_.begin() + static_cast<std::ptrdiff_t>(index));
    next->run(*next);
  }

  /// Runs until nothing is ready, oldest first.
  void run_all() {
    while (ready() > 0) run_one();
  }

  /// Returns: how many tasks exist that have not ended.
  [[nodiscard]] std::size_t live() const noexcept {
    return static_cast<std::size_t>(context_.spawned.value() - context_.ended.value());
  }

private:
  mutable pal::virtual_clock clock_;
  detail::context context_;
  std::deque<job*> ready_;
};

}  // namespace troupe::test
