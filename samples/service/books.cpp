#include "books.hpp"

#include <unordered_map>
#include <unordered_set>

#include <fmt/core.h>

namespace service {

namespace {

void add(request_counts& to, const request_counts& counts) noexcept {
  to.requests += counts.requests;
  to.answered += counts.answered;
  to.failed += counts.failed;
}

class bookkeeper {
public:
  void enter(const claim& made) { claimed_.insert(made.id); }

  void enter(const client_left& client) {
    balance_.sent_bytes += client.written_bytes;
    add(balance_.all, client.counts);
    balance_.load_suffered |= client.broken || client.counts.failed != 0;
    if (!client.broken) return;
    broken_.emplace(client.id, client.written_bytes);
    drop_if_known(client.id);
  }

  void enter(const connection_left& connection) {
    if (claimed_.erase(connection.id) != 0) {
      acknowledged_.emplace(connection.id, connection.acknowledged_bytes);
      drop_if_known(connection.id);
      return;
    }
    balance_.sent_bytes += connection.read_bytes;
    balance_.dropped_bytes += connection.read_bytes - connection.acknowledged_bytes;
    add(balance_.all, connection.counts);
  }

  [[nodiscard]] balance result() const { return balance_; }

private:
  // Both ends of a broken connection of the load have been heard.
  void drop_if_known(connection_id id) {
    auto written = broken_.find(id);
    auto acknowledged = acknowledged_.find(id);
    if (written == broken_.end() || acknowledged == acknowledged_.end()) return;
    balance_.dropped_bytes += written->second - acknowledged->second;
  }

  balance balance_;
  std::unordered_set<connection_id> claimed_;
  // Of the load only, so there are no more of them than the load has made connections.
  std::unordered_map<connection_id, std::uint64_t> broken_, acknowledged_;
};

}  // namespace

bool balance::ok() const noexcept {
  return sent_bytes == counted_bytes + dropped_bytes && all.requests == all.answered + all.failed &&
         !load_suffered;
}

std::string balance::text() const {
  return fmt::format(
      "balance: sent={} counted={} dropped={} requests={} answered={} failed={} caf={} {}",
      sent_bytes, counted_bytes, dropped_bytes, all.requests, all.answered, all.failed, caf_count,
      ok() ? "ok" : "BROKEN");
}

troupe::task<balance> keep_books(troupe::receiver<entry> entries) {
  bookkeeper keeper;
  while (auto made = co_await entries.recv()) {
    std::visit([&keeper](const auto& each) { keeper.enter(each); }, *made);
  }
  co_return keeper.result();
}

}  // namespace service
