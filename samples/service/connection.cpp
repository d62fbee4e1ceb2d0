#include "connection.hpp"

#include <array>
#include <chrono>
#include <utility>

#include <fmt/core.h>

#include <troupe/sched/sleep.hpp>
#include <troupe/task/select.hpp>

namespace service {

namespace {

using namespace std::chrono_literals;

constexpr unsigned max_nonsense_count = 10;
constexpr auto arrival_pause = 20ms;  // While draining: no byte for so long, and nothing is left.
constexpr auto linger_time = 500ms;
constexpr std::size_t max_linger_bytes = 1 << 20;

double seconds(troupe::duration length) { return std::chrono::duration<double>{length}.count(); }

}  // namespace

connection::connection(troupe::io::stream peer, connection_id id, seat at, colleagues with,
                       gate through)
    : peer_{std::move(peer)},
      lines_{peer_, max_line_bytes},
      name_{peer_.peer_address()},
      id_{id},
      at_{std::move(at)},
      with_{std::move(with)},
      through_{std::move(through)} {}

connection::~connection() {
  // What is neither answered nor failed yet has failed now.
  counts_.failed = counts_.requests - counts_.answered;
  connection_left left{id_, peer_.is_open() ? peer_.bytes_read() : 0, counts_};
  (void)with_.counting.try_send(left);  // Refused only if all is torn down.
}

troupe::task<> connection::on_start() {
  if (through_ && !co_await pass_gate()) co_return;
  std::optional<rejection> rejected;
  try {
    co_await ask_surely(with_.counting, report{id_, 0});
    co_await converse();
  } catch (const rejection& because) {
    rejected = because;
  } catch (const troupe::system_error& error) {
    rejected = rejection{trouble::reset, error.code().message(), false};
  }
  if (rejected) co_await turn_away(*rejected);
  co_await report_bytes();
}

// Returns: false when the peer was refused; it is then closed.
troupe::task<bool> connection::pass_gate() {
  try {
    auto first = co_await troupe::select(through_(std::move(peer_)), at_->closing.wait(),
                                         at_->draining.wait());
    if (first.index() != 0) co_return false;
    peer_ = std::move(std::get<0>(first));
    co_return true;
  } catch (const troupe::system_error& error) {
    at_->heard.say(trouble::handshake, fmt::format("{}: closed", error.what()));
  }
  co_return false;
}

troupe::task<> connection::converse() {
  std::string first = greeting(id_) + '\n';
  co_await write(first);
  while (!has_quit_) {
    std::optional<std::string> line = co_await next_line();
    if (!line) co_return;
    co_await report_bytes();
    co_await answer(*line);
    if (leaving_) throw *leaving_;
  }
}

// Returns: nothing when the peer has ended, or the service is stopping and nothing is left.
troupe::task<std::optional<std::string>> connection::next_line() {
  if (!draining_) {
    auto first = co_await troupe::select(lines_.next_line().as_result(), at_->draining.wait(),
                                         troupe::sleep_for(at_->wanted.idle));
    if (first.index() == 2) {
      throw rejection{trouble::idle,
                      fmt::format("no complete line for {} s", seconds(at_->wanted.idle)), true};
    }
    if (auto* line = std::get_if<0>(&first)) {
      if (line->has_error()) throw unreadable(line->error());
      co_return std::move(**line);
    }
    draining_ = true;
  }
  co_return co_await next_arrived_line();
}

troupe::task<std::optional<std::string>> connection::next_arrived_line() {
  auto first = co_await troupe::select(lines_.next_line().as_result(), at_->closing.wait(),
                                       troupe::sleep_for(arrival_pause));
  auto* line = std::get_if<0>(&first);
  if (line == nullptr) co_return std::nullopt;
  if (line->has_error()) throw unreadable(line->error());
  co_return std::move(**line);
}

connection::rejection connection::unreadable(boost::system::error_code error) const {
  if (error == troupe::errc::too_long) {
    return {trouble::line, fmt::format("line longer than {} bytes", max_line_bytes), true};
  }
  return {trouble::reset, error.message(), false};
}

troupe::task<> connection::answer(std::string_view line) {
  ++counts_.requests;
  request asked = parse(line);
  has_failed_ = false;
  std::string text = co_await answer_to(asked);
  text += '\n';
  co_await write(text);
  text.pop_back();
  if (!has_failed_) counts_.add_answer(asked.what, text);
}

troupe::task<std::string> connection::answer_to(const request& asked) {
  if (asked.what != command::unknown) nonsense_count_ = 0;
  switch (asked.what) {
    case command::hello:
      co_return std::string{"hello world"};
    case command::echo:
      co_return std::string{asked.text};
    case command::rtt:
      co_return co_await answer_to_rtt();
    case command::stats:
      co_return co_await answer_to_stats();
    case command::quit:
      has_quit_ = true;
      co_return std::string{"bye"};
    case command::unknown:
    case command::garbage:
      break;
  }
  co_return answer_to_nonsense(asked);
}

troupe::task<std::string> connection::answer_to_rtt() {
  troupe::result<round_trip> measured = co_await measure_rtt(with_.timing);
  if (measured) co_return rtt_line(measured->time, measured->is_by_caf);
  has_failed_ = true;
  std::string reason = measured.error().message();
  at_->heard.say(trouble::rtt, fmt::format("{}: rtt failed: {}", name_, reason));
  co_return fmt::format("error: rtt: {}", reason);
}

troupe::task<std::string> connection::answer_to_stats() {
  totals now = co_await ask_surely(with_.counting, ask_totals{});
  co_return fmt::format("stats connections={} bytes={} bytes/s={}", now.connections,
                        now.counted_bytes, now.last_second_bytes);
}

std::string connection::answer_to_nonsense(const request& refused) {
  if (refused.what == command::garbage) {
    leaving_ = rejection{trouble::garbage, "not a line of text", false};
  } else if (++nonsense_count_ == max_nonsense_count) {
    leaving_ = rejection{trouble::garbage,
                         fmt::format("{} unknown commands in a row", max_nonsense_count), true};
  }
  return error_line(refused);
}

troupe::task<> connection::write(std::string_view text) {
  troupe::time_point deadline = troupe::now() + at_->wanted.idle;
  while (!text.empty()) {
    auto first = co_await troupe::select(peer_.write_some(text).as_result(), at_->closing.wait(),
                                         troupe::sleep_until(deadline));
    if (first.index() == 0) {
      troupe::result<std::size_t>& written = std::get<0>(first);
      if (!written) throw rejection{trouble::reset, written.error().message(), false};
      text.remove_prefix(*written);
    } else if (first.index() == 1) {
      throw rejection{trouble::slow, "does not read its answer, and the service stops", false};
    } else {
      throw rejection{trouble::slow,
                      fmt::format("has not read its answer for {} s", seconds(at_->wanted.idle)),
                      false};
    }
  }
}

troupe::task<> connection::turn_away(const rejection& because) {
  bool is_lost = because.kind == trouble::reset || because.kind == trouble::slow;
  // Who only looks whether somebody is there, and leaves without reading the greeting, does no
  // harm.
  if (is_lost && peer_.bytes_read() == 0) co_return;
  at_->heard.say(because.kind, fmt::format("{}: {}: closed", name_, because.reason));
  if (is_lost) co_return;
  try {
    if (because.is_told) {
      std::string last = fmt::format("error: {}: closed\n", because.reason);
      co_await write(last);
    }
    co_await linger();
  } catch (const rejection&) {
    // It does not want to know.
  } catch (const troupe::system_error&) {
  }
}

// Reads on for a while after the last line, since closing with bytes unread would be a reset, which
// may overtake that line.
troupe::task<> connection::linger() {
  co_await peer_.shutdown();
  troupe::time_point deadline = troupe::now() + linger_time;
  std::array<char, 4096> buffer{};
  for (std::size_t total = 0; total < max_linger_bytes;) {
    auto first = co_await troupe::select(peer_.read_some(buffer), at_->closing.wait(),
                                         troupe::sleep_until(deadline));
    auto* count = std::get_if<0>(&first);
    if (count == nullptr || *count == 0) co_return;
    total += *count;
  }
}

troupe::task<> connection::report_bytes() {
  std::uint64_t total = peer_.bytes_read();
  // The lines of a burst mostly come with one read.
  if (total == acknowledged_bytes_) co_return;
  acknowledged_bytes_ = co_await ask_surely(with_.counting, report{id_, total});
}

}  // namespace service
