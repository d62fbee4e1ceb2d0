#include <troupe/actor/detail/request.hpp>

#include <new>

#include <troupe/actor/detail/current.hpp>
#include <troupe/task/failure.hpp>
#include <troupe/task/stop.hpp>

namespace troupe::inline v0_1::detail {

void text_deleter::operator()(std::string* text) const noexcept { delete text; }

bool request_base::withdraw() noexcept {
  std::uint64_t before = word_.fetch_or(gone | looking, std::memory_order_relaxed);
  bool may_have_begun = true;
  if ((before & done) == 0) {
    pal::heavy_barrier();  // R2
    may_have_begun = has_begun();
    before = word_.fetch_and(~looking, std::memory_order_release);  // -> answer
  }
  if ((before & done) != 0) free();
  return may_have_begun;
}

bool request_base::is_let_go() noexcept {
  return (word_.fetch_or(spent, std::memory_order_acq_rel) & held) == 0;
}

void request_base::hold() noexcept {
  answer_elsewhere();
  begun_.store(progress::given_away, std::memory_order_relaxed);
  std::uint64_t before = word_.fetch_or(held, std::memory_order_acq_rel);  // <-> enlist
  waker key = waker::from_bits(before & ~flags);
  if (task_core* caller = key.task()) caller->wait_no_more_for(current_actor(), key);
}

void request_base::set_error(ask_errc error, std::string why) noexcept {
  error_ = error;
  try {
    reason_.reset(new std::string{std::move(why)});
  } catch (const std::bad_alloc&) {
    reason_ = nullptr;  // The code has to do.
  }
}

void request_base::fail(const std::exception_ptr& why) noexcept {
  error_ = ask_errc::receiver_failed;
  if (!why || is_canceled(why)) return;
  try {
    set_error(error_, describe(why));
  } catch (const std::bad_alloc&) {
    reason_ = nullptr;
  }
}

void request_base::answer_waiting() noexcept {
  if (is_passed_on_) return free();
  std::uint64_t before = word_.fetch_or(done, std::memory_order_acq_rel);  // <-> withdraw
  if ((before & gone) != 0) {
    if ((before & looking) == 0) free();
  } else {
    waker::from_bits(before & ~flags).wake();
  }
}

}  // namespace troupe::inline v0_1::detail
