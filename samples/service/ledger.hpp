#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "protocol.hpp"

namespace service {

/// What became of the requests of one connection, as one of its ends has seen it.
struct request_counts {
  std::uint64_t requests = 0;
  std::uint64_t answered = 0;
  std::uint64_t failed = 0;
  std::uint64_t rtt_answered = 0;  // Of the answered ones.
  std::uint64_t caf_answered = 0;  // Of these, by a CAF actor, as the answer says.

  void add_answer(command asked, std::string_view line) noexcept;
};

/// What came in and what became of it, at the end.
///
/// `sent` and the requests are told by who sends: for the connections of our own load by its
/// clients, for all others, who do not tell, by the connection, which counts what it has read.
/// `counted` is the aggregator's. `dropped` is what was sent on a connection that broke, less what
/// the aggregator had acknowledged of it.
///
/// `caf` are the answers to rtt that say they are CAF's; all must be. They are compared with what
/// the CAF actors have counted: more only by those whose request has failed on its way back.
struct balance {
  std::uint64_t sent_bytes = 0;
  std::uint64_t counted_bytes = 0;
  std::uint64_t dropped_bytes = 0;
  request_counts all;
  std::optional<std::uint64_t> given_by_caf;  // What its actors have counted; nothing without CAF.
  std::uint64_t own_rtt_count = 0;            // The service itself has asked for so many of them.
  bool load_suffered = false;  // Our own load has lost something, although nothing was killed.

  [[nodiscard]] bool ok() const noexcept;
  [[nodiscard]] bool caf_ok() const noexcept;
  [[nodiscard]] std::string text() const;
};

/// What the aggregator knows at one moment.
struct totals {
  std::size_t connections = 0;          // With an account that is open.
  std::uint64_t counted_bytes = 0;      // Of all connections so far.
  std::uint64_t last_second_bytes = 0;  // Of these, in the last full second.
};

/// The running total of one connection; the answer is the total that is acknowledged. To report the
/// same again changes nothing. The first report opens the account.
struct report {
  using reply = std::uint64_t;
  connection_id from;
  std::uint64_t total_bytes;
};

/// A client of the load has been greeted by this connection, and will tell what it has sent.
/// Answered by false when the connection has ended meanwhile: nothing may be sent then.
struct claim {
  using reply = bool;
  connection_id id;
};

/// The end of a connection, told by the client of the load that has claimed it.
struct client_left {
  connection_id id;
  std::uint64_t written_bytes;
  request_counts counts;
  bool broken;  // It did not end by quit and bye.
};

/// The end of a connection, told by itself, after all of its reports.
struct connection_left {
  connection_id id;
  std::uint64_t read_bytes;
  request_counts counts;
};

/// What an aggregator must not forget: the account of each connection, and the balance. It outlives
/// the aggregator's incarnations, which alone use it.
class ledger {
public:
  /// For tests: `lost_bytes` are taken off what is counted, and the balance must show it.
  explicit ledger(bool load_may_suffer, std::uint64_t lost_bytes = 0) noexcept
      : load_may_suffer_{load_may_suffer}, lost_bytes_{lost_bytes} {}

  std::uint64_t enter(const report& made);
  bool enter(const claim& made);
  void enter(const client_left& client);
  /// Returns: the bytes that are counted for it.
  std::uint64_t enter(const connection_left& connection);
  void end_second() noexcept;

  [[nodiscard]] totals now() const noexcept;
  [[nodiscard]] balance result() const noexcept;

private:
  struct account {
    std::uint64_t total_bytes = 0;  // Acknowledged.
    bool is_claimed = false;
    bool has_ended = false;
    std::optional<client_left> client;  // Of a claimed one, when it has ended.
  };
  using accounts = std::unordered_map<connection_id, account>;

  void close_if_both_ended(accounts::iterator at);

  bool load_may_suffer_;
  std::uint64_t lost_bytes_;
  accounts accounts_;
  std::size_t open_count_ = 0;
  std::uint64_t counted_before_ = 0;  // At the last tick.
  std::uint64_t last_second_bytes_ = 0;
  balance balance_;
};

}  // namespace service
