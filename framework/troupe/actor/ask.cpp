#include <troupe/actor/ask.hpp>

#include <new>
#include <string>

#include <troupe/actor/detail/cycle.hpp>
#include <troupe/base/assert.hpp>

namespace troupe::inline v0_1::detail {

void actor_wait::throw_waits(ask_errc error, std::source_location where) const {
  bool is_about_them = closes_cycle_ == (error == ask_errc::deadlock);
  bool is_known = waits_ != nullptr && is_about_them;
  if (error != ask_errc::deadlock) {
    if (is_known) throw_error(make_error_code(error), *waits_);
    return;
  }
  std::string text = is_known ? *waits_ : owner_->name() + " -> " + owner_->name();
  if (where.line() != 0) {
    text += " (at ";
    append_place(text, where);
    text += ')';
  }
  throw_error(make_error_code(error), text);
}

void actor_wait::note_waits() noexcept {
  if (!is_handler_) return;
  try {
    waits_.reset(chain_of_waits(*asker_, *owner_).release());
  } catch (const std::bad_alloc&) {
    waits_ = nullptr;  // The code has to do.
  }
}

bool actor_wait::settle_refused(message_queue::pushed how, ask_errc& error) noexcept {
  if (how == message_queue::pushed::closed) {
    error = ask_errc::receiver_gone;
    return true;
  }
  if (waiting_ == nullptr) look_around();
  // A send to oneself never waits: who should make room?
  bool may_wait = asker_ != owner_ && owner_->when_full() == overflow::wait;
  if (may_wait) return false;
  error = ask_errc::mailbox_full;
  return true;
}

void actor_wait::be_edge() noexcept {
  bool is_one = is_alone_ && is_handler_;
  if (is_one && !std::exchange(is_an_edge_, true)) waiting_->wait_for(owner_);
}

void actor_wait::forget_edge() noexcept {
  is_an_edge_ = false;
  waiting_->wait_for(nullptr);
}

bool actor_wait::enlist_limits(waker key, edge as) noexcept {
  bool may_close_cycle = is_an_edge_ && as == edge::may_fail;
  if (!may_close_cycle) return limit_.enlist(*waiting_, key, false);
  if (owner_->handler() != nullptr) waits_.reset(find_cycle(*asker_, *owner_).release());
  closes_cycle_ = waits_ != nullptr;
  bool looks_again = looks_left_ != 0;
  if (looks_again) --looks_left_;
  return !closes_cycle_ && limit_.enlist(*waiting_, key, looks_again);
}

}  // namespace troupe::inline v0_1::detail
