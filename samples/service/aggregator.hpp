#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <variant>

#include <troupe/sync/mpsc.hpp>
#include <troupe/sync/oneshot.hpp>
#include <troupe/task/task.hpp>

#include "protocol.hpp"

namespace service {

/// What the aggregator knows at one moment.
struct totals {
  std::size_t connections = 0;          // With an account that is open.
  std::uint64_t counted_bytes = 0;      // Of all connections so far.
  std::uint64_t last_second_bytes = 0;  // Of these, in the last full second.
};

/// The running total of one connection; the answer is the total that is acknowledged. To report the
/// same again changes nothing. The first report opens the account, the last one closes it.
struct report {
  connection_id from;
  std::uint64_t total_bytes;
  bool is_last;
  troupe::oneshot_sender<std::uint64_t> reply;

  report(connection_id id, std::uint64_t bytes, bool last,
         troupe::oneshot_sender<std::uint64_t> to) noexcept
      : from{id}, total_bytes{bytes}, is_last{last}, reply{std::move(to)} {}
};

struct ask_totals {
  troupe::oneshot_sender<totals> reply;

  explicit ask_totals(troupe::oneshot_sender<totals> to) noexcept : reply{std::move(to)} {}
};

/// Adds up what all connections have received.
class aggregator {
public:
  using message = std::variant<report, ask_totals>;

  explicit aggregator(troupe::sender<message> to) noexcept : to_{std::move(to)} {}

  /// Returns: the bytes of this connection that are counted for good.
  /// Errors:  errc::closed when the aggregator is gone.
  troupe::task<std::uint64_t> report_total(connection_id from, std::uint64_t total_bytes,
                                           bool is_last = false);
  troupe::task<totals> ask();

private:
  troupe::sender<message> to_;
};

/// The aggregator's task: ends with its last sender. Returns: the bytes counted.
troupe::task<std::uint64_t> aggregate(troupe::receiver<aggregator::message> messages);

}  // namespace service
