#pragma once

#include <array>
#include <cstddef>
#include <cstdlib>

#include <model/model.hpp>

#include <troupe/task/executor.hpp>

/// Stands in for the header of the same name: an executor whose workers are the model's threads,
/// each of which runs what it has queued itself.
namespace troupe::inline v0_1 {

class scheduler final : public executor {
public:
  /// Counts who is about to schedule, as the one that ships does.
  class foreign_visit {
  public:
    explicit foreign_visit(scheduler& where) noexcept : where_{where} { ++where_.visitors; }
    foreign_visit(foreign_visit&&) = delete;
    ~foreign_visit() { --where_.visitors; }

  private:
    scheduler& where_;
  };

  void schedule(job& ready) noexcept override {
    ready.next = nullptr;
    line& mine = lines_[rl::thread_index()];
    (mine.first == nullptr ? mine.first : mine.last->next) = &ready;
    mine.last = &ready;
  }
  void schedule_back(job& ready) noexcept override { schedule(ready); }
  void count_foreign_spawn() noexcept override {}
  [[nodiscard]] pal::clock& clock() const noexcept override { std::abort(); }

  /// Runs all that the calling thread has queued.
  void run_ready() noexcept {
    line& mine = lines_[rl::thread_index()];
    while (job* next = mine.first) {
      mine.first = next->next;
      next->run(*next);
    }
  }

  int visitors = 0;

private:
  struct line {
    job* first = nullptr;
    job* last = nullptr;
  };

  std::array<line, model::barriers::max_threads> lines_;
};

}  // namespace troupe::inline v0_1
