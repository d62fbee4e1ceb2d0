#pragma once

#include <memory>
#include <string>
#include <vector>

#include <troupe/io/framing.hpp>
#include <troupe/io/stream.hpp>
#include <troupe/pal/random.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/task.hpp>

#include "meter.hpp"
#include "site.hpp"

namespace service {

/// What the clients of the load share.
struct load_site {
  load_site(std::shared_ptr<site> of, troupe::ref<aggregator> told, std::uint16_t to_port) noexcept
      : at{std::move(of)}, balance{std::move(told)}, port{to_port} {}

  std::shared_ptr<site> at;
  troupe::ref<aggregator> balance;
  std::uint16_t port;
  meter latencies;
  troupe::event finish;  // End by quit, after the answers that are still to come.
};

/// One connection of the load, from greeting to bye: asks a mix of requests and checks each answer.
///
/// Nothing is sent before the greeting has come: a connection that the service does not take on has
/// lost nothing.
class client {
public:
  client(troupe::io::stream server, load_site& of, troupe::pal::random& dice);
  client(const client&) = delete;
  client& operator=(const client&) = delete;
  ~client();  // Tells the aggregator what was sent.

  /// Returns: false when the service did not take this connection on.
  troupe::task<bool> converse();

private:
  struct question {
    command what;
    std::string expected;  // The answer; for rtt and stats its beginning.
  };

  troupe::task<bool> be_greeted();
  troupe::task<> pause();
  troupe::task<> ask(std::size_t count);
  void add_question(std::string& lines, std::vector<question>& asked);
  std::string some_text();
  void check(const question& asked, std::string_view answer);
  void complain(const std::string& text);
  troupe::task<std::string> next_answer();
  troupe::task<> quit();

  troupe::io::stream server_;
  troupe::io::line_reader answers_;
  load_site& of_;
  troupe::pal::random& dice_;
  connection_id id_ = 0;  // 0: not greeted yet.
  bool ended_well_ = false;
  request_counts counts_;
};

}  // namespace service
