#include <troupe/sim/detail/blocking_threads.hpp>

#include <algorithm>
#include <utility>

#include <troupe/base/assert.hpp>
#include <troupe/task/stop.hpp>

namespace troupe::inline v0_1::sim::detail {

class blocking_threads::piece final : public simulated_thread {
public:
  piece(std::function<void()> work, pal::clock& clock) : work_{std::move(work)}, clock_{clock} {}

  [[nodiscard]] bool is_ready() const noexcept {
    return awaited_ == nullptr || awaited_->load(std::memory_order_acquire);
  }
  [[nodiscard]] bool has_begun() const noexcept { return thread_.joinable(); }
  [[nodiscard]] bool has_ended() const noexcept { return has_ended_; }

  // Gives it the baton, and comes back with it.
  void let_run() {
    pal::lock guard{mutex_};
    has_baton_ = true;
    if (has_begun()) {
      changed_.notify_one();
    } else {
      thread_ = pal::thread{[this] { run(); }};
    }
    changed_.wait(guard, [this] { return !has_baton_; });
    guard.unlock();
    // Its thread has gone before anything else happens: what it had at hand is in one order then.
    if (has_ended_) thread_.join();
  }
  void cancel() noexcept { is_canceled_ = true; }

  void wait_for(const pal::atomic<bool>& is_over) override {
    while (!is_over.load(std::memory_order_acquire)) {
      awaited_ = &is_over;
      give_back();
      awaited_ = nullptr;
      if (is_canceled_) throw canceled{};
    }
  }
  [[nodiscard]] pal::clock& clock() const noexcept override { return clock_; }

private:
  void run() {
    set_current(this);
    work_();
    work_ = nullptr;
    set_current(nullptr);
    pal::lock guard{mutex_};
    has_ended_ = true;
    has_baton_ = false;
    changed_.notify_one();
  }
  void give_back() {
    pal::lock guard{mutex_};
    has_baton_ = false;
    changed_.notify_one();
    changed_.wait(guard, [this] { return has_baton_; });
  }

  std::function<void()> work_;
  pal::clock& clock_;
  const pal::atomic<bool>* awaited_ = nullptr;
  bool is_canceled_ = false;
  bool has_ended_ = false;

  pal::mutex mutex_;
  pal::condition changed_;
  bool has_baton_ = false;
  pal::thread thread_;
};

blocking_threads::blocking_threads(pal::clock& clock) noexcept : clock_{clock} {}

blocking_threads::~blocking_threads() { end_all(); }

void blocking_threads::add(std::function<void()> work) {
  pieces_.push_back(std::make_unique<piece>(std::move(work), clock_));
}

bool blocking_threads::has_ready() const noexcept {
  return std::any_of(pieces_.begin(), pieces_.end(),
                     [](const auto& each) { return each->is_ready(); });
}

void blocking_threads::run_one(pal::random& numbers) {
  std::vector<piece*> ready;
  for (const auto& each : pieces_) {
    if (each->is_ready()) ready.push_back(each.get());
  }
  let_run(*ready[numbers.below(ready.size())]);
}

void blocking_threads::let_run(piece& chosen) {
  chosen.let_run();
  if (!chosen.has_ended()) return;
  pieces_.erase(std::find_if(pieces_.begin(), pieces_.end(),
                             [&](const auto& each) { return each.get() == &chosen; }));
}

void blocking_threads::end_all() noexcept {
  while (!pieces_.empty()) {
    piece& last = *pieces_.back();
    if (!last.has_begun()) {
      pieces_.pop_back();
      continue;
    }
    last.cancel();
    let_run(last);
  }
}

}  // namespace troupe::inline v0_1::sim::detail
