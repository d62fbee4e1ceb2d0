#include <troupe/tls/detail/flusher.hpp>

#include <chrono>

#include <troupe/io/wait_count.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/task/operation.hpp>
#include <troupe/task/shield.hpp>
#include <troupe/tls/detail/tls_stream.hpp>

namespace troupe::inline v0_1::tls::detail {

flusher::~flusher() {
  if (of_ != nullptr) of_->end_flush();
}

/// Until all is sent, or the device is closed; after its close, until all is sent.
class flush_operation final {
public:
  static constexpr const char* name = "room in the stream below TLS";

  flush_operation(flusher& turn, bool after_close) noexcept
      : turn_{&turn}, after_close_{after_close} {}

  bool poll() noexcept {
    tls_stream::flushed found = turn_->of().try_flush(after_close_);
    if (found == tls_stream::flushed::all) turn_->let_go();
    is_closed_ = found == tls_stream::flushed::closed;
    return found != tls_stream::flushed::not_yet;
  }
  bool enlist(waker key) noexcept {
    return count_.begin(turn_->of().enlist_flush(key, after_close_));
  }
  void delist() noexcept {
    if (count_.end()) turn_->of().delist_flush();
  }
  /// Returns: whether the device is closed.
  bool take() const noexcept { return is_closed_; }

private:
  flusher* turn_;
  io::wait_count count_;
  bool after_close_;
  bool is_closed_ = false;
};

namespace {

constexpr auto time_after_close = std::chrono::seconds{2};

// Owns the turn: at the end of a runtime a task may be destroyed before what it has shielded.
task<> flush_all(flusher turn) {
  flush_operation while_open{turn, false};
  if (!co_await while_open) co_return;
  flush_operation after_close{turn, true};
  co_await timeout(time_after_close, std::move(after_close)).as_result();
}

}  // namespace

// Shielded: what was counted as written goes out also when the tasks of the runtime are stopped.
task<> flush(flusher turn) { co_await shield(flush_all(std::move(turn))); }

}  // namespace troupe::inline v0_1::tls::detail
