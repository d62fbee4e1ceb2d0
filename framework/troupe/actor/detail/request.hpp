#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include <troupe/actor/detail/envelope.hpp>
#include <troupe/actor/detail/time_limit.hpp>
#include <troupe/base/assert.hpp>
#include <troupe/base/block_pool.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/pal/barrier.hpp>
#include <troupe/task/operation.hpp>
#include <troupe/task/waker.hpp>

namespace troupe::inline v0_1::detail {

/// Frees a text out of line: where there is none, and mostly there is none, that is one look.
struct text_deleter {
  void operator()(std::string* text) const noexcept;
};
using kept_text = std::unique_ptr<std::string, text_deleter>;

/// What a caller and a receiver share of one request: an envelope, and the place of the answer.
///
///   word_        means                                     changed by
///   waker        who waits for the answer                  arm, enlist (the caller)
///   bit done     the answer is there                       answer(), by the receiver, once
///   bit gone     the caller does not want it any more      withdraw()
///   bit held     the handler may outlive its answer        hold(), let_go(): the receiver
///   bit spent    the caller has done with an answered      free(), while held
///                request that is held
///   bit looking  the caller still reads begun_             withdraw() sets and clears
///   bit here     the handler runs within the caller's      answer_here(); hold(),
///                turn: both are one thread                 forget_answer(), answer() clear
///   begun_       the receiver has come to it, or has made  may_begin(), hold()
///                a reply<T> of it
///
///   R1. The caller frees the request when it has taken the answer; if it has withdrawn it, the
///       second of answer() and withdraw() does. If it is held then, let_go() does it for them.
///   R2. may_begin() sets begun_, runs the light barrier and reads `gone`; withdraw() sets `gone`,
///       runs the heavy barrier and reads begun_. So what was withdrawn unbegun never runs, without
///       a locked operation for each that does.
///   R3. Until it has answered or dropped it the receiver owns all but the word.
///   R4. `here` is alone in the word, no waker beside it, and set only while the caller's thread is
///       in the handler: then that thread owns the word, too.
class request_base : public envelope {
public:
  // --- the caller ---

  /// Requires: not sent yet.
  void arm(waker key) noexcept { word_.store(key.bits(), std::memory_order_relaxed); }

  [[nodiscard]] bool settled() const noexcept {
    return (word_.load(std::memory_order_acquire) & done) != 0;  // <- answer
  }
  [[nodiscard]] bool enlist(waker key) noexcept {
    std::uint64_t seen = word_.load(std::memory_order_relaxed);
    do {
      if ((seen & done) != 0) return false;
      if ((seen & ~flags) == key.bits()) return true;
    } while (!word_.compare_exchange_weak(seen, (seen & flags) | key.bits(),
                                          std::memory_order_acq_rel,  // -> answer, <-> hold
                                          std::memory_order_relaxed));
    return true;
  }
  /// Throws the error with what the handler has failed with. Requires: settled().
  void throw_reason() const {
    if (reason_ != nullptr) throw_error(make_error_code(error_), *reason_);
  }
  /// Gives the request up. Returns: whether its handler may have begun.
  bool withdraw() noexcept;

  /// Frees one that was never sent.
  void discard() noexcept {
    word_.store(gone, std::memory_order_relaxed);
    table->drop(*this, ask_errc::canceled_unrun);
  }

  // --- the receiver ---

  /// Its handler runs now, within the turn of the caller, who finds the answer when it has ended:
  /// nobody can have withdrawn it, and it has no deadline yet.
  void begin_here() noexcept {
    word_.store(here, std::memory_order_relaxed);
    begun_.store(progress::begun, std::memory_order_relaxed);
  }

  /// Returns: false, with the error set, when it must not run: its deadline has passed, or the
  /// caller has withdrawn it. R2
  [[nodiscard]] bool may_begin() noexcept {
    if (has_expired()) {
      error_ = ask_errc::expired;
      return false;
    }
    begun_.store(progress::begun, std::memory_order_relaxed);
    pal::light_barrier();
    if ((word_.load(std::memory_order_relaxed) & gone) == 0) return true;
    error_ = ask_errc::canceled_unrun;
    return false;
  }
  /// Returns: true when its deadline has passed, as far as the receiver's runtime knows.
  [[nodiscard]] bool has_expired() const noexcept {
    return !answer_by_.is_none() && has_passed(answer_by_);
  }
  /// Returns: true when nobody waits for the answer any more.
  [[nodiscard]] bool caller_gone() const noexcept {
    return (word_.load(std::memory_order_relaxed) & gone) != 0;
  }
  /// Returns: true when the receiver has come to it; a hint for who still waits.
  [[nodiscard]] bool has_begun() const noexcept {
    return begun_.load(std::memory_order_relaxed) != progress::none;
  }
  /// It has a reply<T>: whoever has that one answers, and the caller does not wait for the actor.
  /// A hint, but on the thread that has made it, and to the caller after an enlist(): then hold()
  /// either has been seen, or finds that waker.
  [[nodiscard]] bool is_given_away() const noexcept {
    return begun_.load(std::memory_order_relaxed) == progress::given_away;
  }
  /// By when it has to be answered. The caller sets it before it sends.
  [[nodiscard]] deadline answer_by() const noexcept { return answer_by_; }
  void answer_by(deadline limit) noexcept { answer_by_ = limit; }
  void set_error(ask_errc error) noexcept { error_ = error; }
  /// The same, with what a code alone does not tell.
  void set_error(ask_errc error, std::string why) noexcept;
  /// Sets receiver_failed, and keeps what the handler has failed with in words.
  void fail(const std::exception_ptr& why) noexcept;
  void answer() noexcept {
    if (word_.load(std::memory_order_relaxed) != here) return answer_waiting();
    word_.store(done, std::memory_order_relaxed);  // R4
  }
  /// A reply<T> is made of it.
  void hold() noexcept;
  void let_go() noexcept {
    if ((word_.fetch_and(~held, std::memory_order_acq_rel) & spent) != 0) free_now();
  }

protected:
  using destroy_function = void (*)(request_base&) noexcept;

  request_base(const envelope_table& of, std::size_t size_bytes, destroy_function destroy) noexcept
      : envelope{of}, destroy_{destroy}, size_bytes_{static_cast<std::uint32_t>(size_bytes)} {}
  ~request_base() = default;

  /// Returns: true when nobody but the caller has it any more; else who holds it frees it. R1
  [[nodiscard]] bool is_free() noexcept {
    bool is_held = (word_.load(std::memory_order_acquire) & held) != 0;  // <- let_go
    return !is_held || is_let_go();
  }
  void free() noexcept {
    if (is_free()) free_now();
  }
  [[nodiscard]] std::size_t size_bytes() const noexcept { return size_bytes_; }

  /// Somebody else may answer it: it was put aside, or has a reply<T>. R4
  void answer_elsewhere() noexcept {
    if (word_.load(std::memory_order_relaxed) == here) word_.store(0, std::memory_order_relaxed);
  }

  void forget_reason() noexcept {
    if (reason_ != nullptr) [[unlikely]]
      reason_ = nullptr;
  }
  [[nodiscard]] const std::string* reason() const noexcept { return reason_.get(); }
  /// No caller waits: as soon as it is answered its destroy function takes the answer elsewhere.
  void pass_on() noexcept { is_passed_on_ = true; }

  ask_errc error_{};  // Zero while there is none.
  bool has_value_ = false;

private:
  enum class progress : unsigned char { none, begun, given_away };

  static constexpr std::uint64_t done = 1, gone = 2, held = 4, spent = 8, looking = 16, here = 32,
                                 flags = 63;

  void answer_waiting() noexcept;
  [[nodiscard]] bool is_let_go() noexcept;
  void free_now() noexcept {
    std::size_t size_bytes = size_bytes_;
    destroy_(*this);
    free_block(this, size_bytes);
  }

  pal::atomic<std::uint64_t> word_{0};
  kept_text reason_;  // Mostly none.
  destroy_function destroy_;
  deadline answer_by_;
  std::uint32_t size_bytes_;
  pal::atomic<progress> begun_{progress::none};
  bool is_passed_on_ = false;
};

/// A request whose answer is a T.
template <class T>
class request : public request_base {
  static_assert(std::is_void_v<T> || std::is_nothrow_move_constructible_v<T>,
                "an answer needs a nothrow move");
  static_assert(!std::is_reference_v<T>, "an answer must not be a reference: return a value");

public:
  using stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

  [[nodiscard]] bool has_value() const noexcept { return has_value_; }
  /// Requires: no value and no error yet.
  void set_value(stored value) noexcept {
    std::construct_at(&value_, std::move(value));
    has_value_ = true;
  }
  void set_value() noexcept
    requires std::is_void_v<T>
  {
    set_value(std::monostate{});
  }
  [[nodiscard]] bool is_decided() const noexcept { return has_value_ || error_ != ask_errc{}; }
  void forget_answer() noexcept {
    answer_elsewhere();
    if (std::exchange(has_value_, false)) std::destroy_at(&value_);
  }

  /// Takes the answer and frees the request. Requires: settled().
  [[gnu::always_inline]] result<T> take() noexcept {
    if (!has_value_) [[unlikely]]
      return take_error();
    if constexpr (std::is_void_v<T>) {
      free_taken();
      return {};
    } else {
      result<T> answer = succeeded_with<T>(std::move(value_));
      free_taken();
      return answer;
    }
  }

protected:
  request(const envelope_table& of, std::size_t size_bytes,
          destroy_function destroy = &destroy_value) noexcept
      : request_base{of, size_bytes, destroy} {}
  ~request() {}

  static void destroy_value(request_base& self) noexcept {
    auto& mine = static_cast<request&>(self);
    if (mine.has_value_) std::destroy_at(&mine.value_);
    mine.forget_reason();
  }
  /// Requires: has_value_.
  [[nodiscard]] stored& value() noexcept { return value_; }

private:
  [[gnu::noinline]] result<T> take_error() noexcept {
    ask_errc error = error_;
    free_taken();
    return failed_with<T>(make_error_code(error));
  }
  // As free(), with the type known: every answered request comes by here.
  [[gnu::always_inline]] void free_taken() noexcept {
    if (!is_free()) return;
    std::size_t block_bytes = size_bytes();
    destroy_value(*this);
    free_block(this, block_bytes);
  }

  union {
    stored value_;
  };
};

}  // namespace troupe::inline v0_1::detail
