#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>

#include <fmt/core.h>

#include <troupe/actor/actor.hpp>

#include "ledger.hpp"

namespace service {

/// Asks for the balance. Requires: all clients and connections have left.
struct settle {
  using reply = balance;
};
struct ask_totals {
  using reply = totals;
};

/// Adds up what all connections have received. An incarnation goes on with the ledger of the last.
class aggregator final : public troupe::actor {
public:
  /// `tells_accounts`: a line for each connection that has ended.
  aggregator(std::shared_ptr<ledger> durable, bool tells_accounts) noexcept
      : ledger_{std::move(durable)}, tells_accounts_{tells_accounts} {}

  void on_start() { self(this).send_every(std::chrono::seconds{1}, second_over{}); }

  std::uint64_t on(const report& made) { return ledger_->enter(made); }
  bool on(const claim& made) { return ledger_->enter(made); }
  void on(const client_left& client) { ledger_->enter(client); }
  void on(const connection_left& connection) {
    std::uint64_t counted_bytes = ledger_->enter(connection);
    if (!tells_accounts_) return;
    fmt::print("account: connection={} counted={} answered={}\n", connection.id, counted_bytes,
               connection.counts.answered);
  }
  totals on(ask_totals) const { return ledger_->now(); }
  balance on(settle) const { return ledger_->result(); }

  struct second_over {};
  void on(second_over) { ledger_->end_second(); }

private:
  std::shared_ptr<ledger> ledger_;
  bool tells_accounts_;
};

/// Asks an aggregator, and again when it was killed meanwhile: all requests to it are idempotent.
/// Errors: ask_errc::receiver_gone when it has ended for good.
template <class M>
troupe::task<typename M::reply> ask_surely(troupe::ref<aggregator> whom, M message) {
  for (;;) {
    auto answer = co_await whom.ask(message).as_result();
    if (answer) co_return std::move(*answer);
    if (answer.error() != troupe::ask_errc::receiver_failed) troupe::throw_error(answer.error());
  }
}

}  // namespace service
