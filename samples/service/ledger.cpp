#include "ledger.hpp"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

namespace service {

namespace {

void add(request_counts& to, const request_counts& counts) noexcept {
  to.requests += counts.requests;
  to.answered += counts.answered;
  to.failed += counts.failed;
  to.rtt_answered += counts.rtt_answered;
  to.caf_answered += counts.caf_answered;
}

}  // namespace

void request_counts::add_answer(command asked, std::string_view line) noexcept {
  ++answered;
  if (asked != command::rtt) return;
  ++rtt_answered;
  if (is_by_caf(line)) ++caf_answered;
}

bool balance::ok() const noexcept {
  return sent_bytes == counted_bytes + dropped_bytes && all.requests == all.answered + all.failed &&
         caf_ok() && !load_suffered;
}

bool balance::caf_ok() const noexcept {
  if (!given_by_caf) return true;
  return all.caf_answered == all.rtt_answered && *given_by_caf >= all.caf_answered &&
         *given_by_caf <= all.caf_answered + all.failed + own_rtt_count;
}

std::string balance::text() const {
  return fmt::format(
      "balance: sent={} counted={} dropped={} requests={} answered={} failed={} caf={} {}",
      sent_bytes, counted_bytes, dropped_bytes, all.requests, all.answered, all.failed,
      all.caf_answered, ok() ? "ok" : "BROKEN");
}

std::uint64_t ledger::enter(const report& made) {
  auto [at, is_new] = accounts_.try_emplace(made.from);
  if (is_new) ++open_count_;
  // Totals only grow: an old report that comes late takes nothing away.
  std::uint64_t& total = at->second.total_bytes;
  balance_.counted_bytes += std::max(total, made.total_bytes) - total;
  total = std::max(total, made.total_bytes);
  return total;
}

bool ledger::enter(const claim& made) {
  auto at = accounts_.find(made.id);
  if (at == accounts_.end()) return false;
  at->second.is_claimed = true;
  return true;
}

void ledger::enter(const client_left& client) {
  balance_.sent_bytes += client.written_bytes;
  add(balance_.all, client.counts);
  balance_.load_suffered |= client.broken || client.counts.failed != 0;
  auto at = accounts_.find(client.id);
  if (at == accounts_.end()) return;
  at->second.client = client;
  close_if_both_ended(at);
}

std::uint64_t ledger::enter(const connection_left& connection) {
  auto at = accounts_.find(connection.id);
  if (at == accounts_.end()) return 0;  // It has ended before it was opened: nothing was read.
  --open_count_;
  at->second.has_ended = true;
  std::uint64_t counted_bytes = at->second.total_bytes;
  if (at->second.is_claimed) {
    close_if_both_ended(at);
    return counted_bytes;
  }
  balance_.sent_bytes += connection.read_bytes;
  balance_.dropped_bytes += connection.read_bytes - counted_bytes;
  add(balance_.all, connection.counts);
  accounts_.erase(at);
  return counted_bytes;
}

// What was acknowledged is known for good when the connection has ended.
void ledger::close_if_both_ended(accounts::iterator at) {
  const account& closed = at->second;
  if (!closed.has_ended || !closed.client) return;
  if (closed.client->broken) {
    balance_.dropped_bytes += closed.client->written_bytes - closed.total_bytes;
  }
  accounts_.erase(at);
}

void ledger::end_second() noexcept {
  last_second_bytes_ =
      balance_.counted_bytes - std::exchange(counted_before_, balance_.counted_bytes);
}

totals ledger::now() const noexcept {
  return {open_count_, balance_.counted_bytes, last_second_bytes_};
}

balance ledger::result() const noexcept {
  balance last = balance_;
  last.counted_bytes -= lost_bytes_;
  last.load_suffered &= !load_may_suffer_;
  return last;
}

}  // namespace service
