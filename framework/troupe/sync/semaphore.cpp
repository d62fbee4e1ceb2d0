#include <troupe/sync/semaphore.hpp>

#include <cstdint>

#include <troupe/base/assert.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/pal/mutex.hpp>
#include <troupe/sync/detail/claimed_tasks.hpp>

namespace troupe::inline v0_1 {

/// What the semaphore, its permits and its waits own together: a runtime that ends destroys the
/// frames they lie in, in no order that a user could choose.
class semaphore::core {
  using state = acquire_operation::state;

public:
  explicit core(std::size_t count) noexcept : available_{count} {}

  void hold() noexcept { owners_.fetch_add(1, std::memory_order_relaxed); }
  void let_go() noexcept {
    if (owners_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;  // <-> each other
  }

  void add(std::size_t count) noexcept;
  void close() noexcept;
  [[nodiscard]] bool is_closed() const noexcept;
  [[nodiscard]] std::size_t available() const noexcept;
  /// Returns: whether the permits were taken, or what stands against it.
  [[nodiscard]] result<void> try_take(std::size_t count) noexcept;

  [[nodiscard]] bool try_serve(acquire_operation& wish) noexcept;
  [[nodiscard]] bool line_up(acquire_operation& wish, waker key) noexcept;
  void leave(acquire_operation& wish) noexcept;

private:
  ~core() = default;
  void serve_line(detail::claimed_tasks& served) noexcept;

  mutable pal::mutex mutex_;
  intrusive_list<acquire_operation> line_;  // Oldest first; the first wants more than there are.
  std::size_t available_;
  bool closed_ = false;
  pal::atomic<std::uint32_t> owners_{1};
};

void semaphore::core::add(std::size_t count) noexcept {
  detail::claimed_tasks served;
  {
    pal::lock guard{mutex_};
    TROUPE_ASSERT(available_ + count >= available_);
    available_ += count;
    serve_line(served);
  }
  served.schedule();
}

void semaphore::core::close() noexcept {
  detail::claimed_tasks refused;
  {
    pal::lock guard{mutex_};
    closed_ = true;
    while (acquire_operation* wish = line_.pop_front()) {
      wish->state_ = state::refused;
      refused.claim(wish->key_);
    }
  }
  refused.schedule();
}

bool semaphore::core::is_closed() const noexcept {
  pal::lock guard{mutex_};
  return closed_;
}

std::size_t semaphore::core::available() const noexcept {
  pal::lock guard{mutex_};
  return available_;
}

result<void> semaphore::core::try_take(std::size_t count) noexcept {
  pal::lock guard{mutex_};
  if (closed_) return make_error_code(errc::closed);
  if (!line_.empty() || available_ < count) return make_error_code(errc::empty);
  available_ -= count;
  return {};
}

// Returns: whether its wait is over. One that stands in the line is served by whoever changes that.
bool semaphore::core::try_serve(acquire_operation& wish) noexcept {
  pal::lock guard{mutex_};
  if (wish.state_ != state::idle) return wish.state_ != state::waiting;
  if (closed_) {
    wish.state_ = state::refused;
  } else if (line_.empty() && available_ >= wish.count_) {
    available_ -= wish.count_;
    wish.state_ = state::served;
  }
  return wish.state_ != state::idle;
}

// Returns: false when a try is due.
bool semaphore::core::line_up(acquire_operation& wish, waker key) noexcept {
  pal::lock guard{mutex_};
  if (wish.state_ == state::idle) {
    if (closed_ || (line_.empty() && available_ >= wish.count_)) return false;
    line_.push_back(wish);
    wish.state_ = state::waiting;
  }
  wish.key_ = key;
  return wish.state_ == state::waiting;
}

// Takes back the place in the line, or what was got there; either may be what others wait for.
void semaphore::core::leave(acquire_operation& wish) noexcept {
  detail::claimed_tasks served;
  {
    pal::lock guard{mutex_};
    if (wish.state_ == state::waiting) intrusive_list<acquire_operation>::erase(wish);
    if (wish.state_ == state::served) available_ += wish.count_;
    wish.state_ = state::idle;
    serve_line(served);
  }
  served.schedule();
}

void semaphore::core::serve_line(detail::claimed_tasks& served) noexcept {
  while (!line_.empty() && line_.front().count_ <= available_) {
    acquire_operation& wish = *line_.pop_front();
    available_ -= wish.count_;
    wish.state_ = state::served;
    served.claim(wish.key_);
  }
}

// ---- the semaphore

semaphore::semaphore(std::size_t count) : core_{new core{count}} {}

semaphore::~semaphore() {
  core_->close();
  core_->let_go();
}

void semaphore::check(std::size_t count) {
  if (count == 0) misuse("no permit was asked of a semaphore: ask for one or more [S15]");
}

result<semaphore::permit> semaphore::try_acquire(std::size_t count) {
  check(count);
  result<void> taken = core_->try_take(count);
  if (taken.has_error()) return taken.error();
  core_->hold();
  return permit{*core_, count};
}

void semaphore::add(std::size_t count) noexcept { core_->add(count); }
void semaphore::close() noexcept { core_->close(); }
bool semaphore::is_closed() const noexcept { return core_->is_closed(); }
std::size_t semaphore::available() const noexcept { return core_->available(); }

// ---- a permit

void semaphore::permit::release() noexcept {
  core* of = std::exchange(of_, nullptr);
  if (of == nullptr) return;
  of->add(std::exchange(count_, 0));
  of->let_go();
}

std::size_t semaphore::permit::forget() noexcept {
  if (core* of = std::exchange(of_, nullptr)) of->let_go();
  return std::exchange(count_, 0);
}

// ---- a wait

semaphore::acquire_operation::acquire_operation(core& from, std::size_t count) noexcept
    : from_{&from}, count_{count} {
  from.hold();
}

semaphore::acquire_operation::~acquire_operation() {
  if (from_ == nullptr) return;
  if (has_begun_) from_->leave(*this);
  from_->let_go();
}

void semaphore::acquire_operation::start() noexcept {
  TROUPE_ASSERT(from_ != nullptr);  // An acquire is awaited once.
  has_begun_ = true;
  is_given_up_ = false;
}

void semaphore::acquire_operation::stop() noexcept {
  from_->leave(*this);
  is_given_up_ = true;
}

bool semaphore::acquire_operation::poll() noexcept {
  return is_given_up_ || from_->try_serve(*this);
}

bool semaphore::acquire_operation::enlist(waker key) noexcept { return from_->line_up(*this, key); }

result<semaphore::permit> semaphore::acquire_operation::take() {
  switch (std::exchange(state_, state::idle)) {
    case state::served:
      return permit{*std::exchange(from_, nullptr), count_};
    case state::refused:
      return make_error_code(errc::closed);
    default:
      throw canceled{};
  }
}

}  // namespace troupe::inline v0_1
