#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <troupe/actor/actor.hpp>
#include <troupe/io/framing.hpp>
#include <troupe/io/stream.hpp>
#include <troupe/task/task.hpp>

#include "gate.hpp"
#include "site.hpp"

namespace service {

/// One peer: reads its lines, answers each, and reports its bytes before it answers, so that what
/// is answered has been counted.
///
/// A peer that is silent, does not read, or sends what is no line is told so, as far as possible,
/// named on stderr, and closed. Nobody sends it anything: it is asked to end by the events of the
/// site, and a kill() breaks off its one handler.
class connection final : public troupe::actor {
public:
  /// `through`: what the peer has to pass first; empty: nothing.
  connection(troupe::io::stream peer, connection_id id, seat at, colleagues with, gate through);
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  ~connection();  // Tells the aggregator what was read and answered, however it has ended.

  /// Serves the peer until it or the service ends it. Errors: none of the peer's.
  troupe::task<> on_start();

private:
  struct rejection {
    trouble kind;
    std::string reason;
    bool is_told;  // Whether the peer gets the reason as its last line.
  };

  troupe::task<bool> pass_gate();
  troupe::task<> converse();
  troupe::task<std::optional<std::string>> next_line();
  troupe::task<std::optional<std::string>> next_arrived_line();
  troupe::task<> answer(std::string_view line);
  troupe::task<std::string> answer_to(const request& asked);
  troupe::task<std::string> answer_to_rtt();
  troupe::task<std::string> answer_to_stats();
  std::string answer_to_nonsense(const request& refused);
  troupe::task<> write(std::string_view text);
  troupe::task<> turn_away(const rejection& because);
  troupe::task<> linger();
  troupe::task<> report_bytes();
  [[nodiscard]] rejection unreadable(boost::system::error_code error) const;

  troupe::io::stream peer_;
  troupe::io::line_reader lines_;
  std::string name_;
  connection_id id_;
  seat at_;
  colleagues with_;
  gate through_;

  bool draining_ = false;
  std::optional<rejection> leaving_;  // Decided; the peer still gets its last answer.
  bool has_quit_ = false;
  bool has_failed_ = false;      // The request at hand.
  unsigned nonsense_count_ = 0;  // In a row.
  std::uint64_t acknowledged_bytes_ = 0;
  request_counts counts_;
};

}  // namespace service
