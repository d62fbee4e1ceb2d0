#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include <troupe/sync/mpsc.hpp>
#include <troupe/task/task.hpp>

#include "protocol.hpp"

namespace service {

/// What became of the requests of one connection, as one of its ends has seen it.
struct request_counts {
  std::uint64_t requests = 0;
  std::uint64_t answered = 0;
  std::uint64_t failed = 0;
};

/// What came in and what became of it, at the end.
///
/// `sent` and the requests are told by who sends: for the connections of our own load by its
/// clients, for all others, who do not tell, by the connection, which counts what it has read.
/// `counted` is the aggregator's. `dropped` is what was sent on a connection that broke, less what
/// the aggregator had acknowledged of it.
struct balance {
  std::uint64_t sent_bytes = 0;
  std::uint64_t counted_bytes = 0;
  std::uint64_t dropped_bytes = 0;
  request_counts all;
  std::uint64_t caf_count = 0;  // rtt requests answered by CAF; none in this version.
  bool load_suffered = false;   // Our own load has lost something, although nothing was killed.

  [[nodiscard]] bool ok() const noexcept;
  [[nodiscard]] std::string text() const;
};

/// A client of the load has been greeted by this connection, and will tell what it has sent.
struct claim {
  connection_id id;
};

/// The end of a connection, told by the client of the load that has claimed it.
struct client_left {
  connection_id id;
  std::uint64_t written_bytes;
  request_counts counts;
  bool broken;  // It did not end by quit and bye.
};

/// The end of a connection, told by itself.
struct connection_left {
  connection_id id;
  std::uint64_t read_bytes;
  std::uint64_t acknowledged_bytes;
  request_counts counts;
};

/// Requires: a claim is entered before the first byte is written, and so before the connection that
/// reads it can have left.
using entry = std::variant<claim, client_left, connection_left>;

/// Where entries go. Without a bound, since each connection makes three at most and must be able to
/// make the last one while it unwinds.
using books = troupe::sender<entry>;

/// Takes entries until the last sender is gone. Returns: the balance, but for `counted_bytes`.
troupe::task<balance> keep_books(troupe::receiver<entry> entries);

}  // namespace service
