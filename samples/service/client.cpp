#include "client.hpp"

#include <chrono>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include <troupe/sched/sleep.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/task/select.hpp>

namespace service {

namespace {

constexpr auto answer_time = std::chrono::seconds{10};
constexpr std::uint64_t busy_count = 64;  // So many clients never pause.
constexpr auto pause_per_client = std::chrono::microseconds{100};

constexpr std::size_t max_answer_bytes = max_line_bytes + 256;

}  // namespace

client::client(troupe::io::stream server, load_site& of, troupe::pal::random& dice)
    : server_{std::move(server)}, answers_{server_, max_answer_bytes}, of_{of}, dice_{dice} {}

client::~client() {
  if (id_ == 0) return;
  // Requests that are neither answered nor failed yet have failed now.
  counts_.failed = counts_.requests - counts_.answered;
  client_left left{id_, server_.bytes_written(), counts_, !ended_well_};
  (void)of_.balance.try_send(left);
}

troupe::task<bool> client::converse() {
  bool is_greeted = co_await be_greeted();
  if (!is_greeted) co_return false;
  try {
    // Now and then a client leaves and another one comes.
    for (auto left = 1000 + dice_.below(2000); left > 0 && !of_.finish.is_set(); --left) {
      bool is_burst = dice_.below(10) == 0;
      co_await ask(is_burst ? 2 + dice_.below(7) : 1);
      co_await pause();
    }
    co_await quit();
  } catch (const troupe::system_error& error) {
    complain(fmt::format("connection {} of the load broke: {}", id_, error.code().message()));
  }
  co_return true;
}

troupe::task<bool> client::be_greeted() {
  // A connection that nobody accepts any more is closed only at the very end.
  auto first = co_await troupe::select(
      troupe::timeout(answer_time, answers_.next_line()).as_result(), of_.finish.wait());
  auto* line = std::get_if<0>(&first);
  if (line == nullptr || !*line || !**line) co_return false;
  auto id = id_in_greeting(***line);
  if (!id) co_return false;  // It is told why it is not wanted.
  // Killed right after its greeting, the connection cannot be claimed any more.
  bool is_claimed = co_await ask_surely(of_.balance, claim{*id});
  if (is_claimed) id_ = *id;
  co_return is_claimed;
}

// Where there are many connections, most are quiet at any moment.
troupe::task<> client::pause() {
  std::uint64_t client_count = of_.at->wanted.client_count;
  if (client_count <= busy_count) co_return;
  auto mean = pause_per_client * (client_count - busy_count);
  troupe::duration longest = 2 * mean;
  troupe::duration length{dice_.below(static_cast<std::uint64_t>(longest.count()))};
  co_await troupe::select(of_.finish.wait(), troupe::sleep_for(length));
}

// Sends `count` requests at once, then takes their answers.
troupe::task<> client::ask(std::size_t count) {
  std::string lines;
  std::vector<question> asked;
  for (std::size_t i = 0; i < count; ++i) add_question(lines, asked);
  counts_.requests += count;
  troupe::time_point start = troupe::now();
  co_await server_.write_all(lines);
  for (const question& each : asked) {
    std::string answer = co_await next_answer();
    check(each, answer);
    of_.latencies.add(troupe::now() - start);
  }
}

// The mix: mostly small texts, some long ones. The coordinator does one ping at a time, through two
// more sockets of this busy process: more than a few in a hundred, and all would wait for it alone.
void client::add_question(std::string& lines, std::vector<question>& asked) {
  auto chance = dice_.below(100);
  if (chance < 1) {
    lines += "rtt\n";
    asked.push_back({command::rtt, "rtt "});
  } else if (chance < 5) {
    lines += "stats\n";
    asked.push_back({command::stats, "stats connections="});
  } else if (chance < 20) {
    lines += "hello\n";
    asked.push_back({command::hello, "hello world"});
  } else {
    std::string text = some_text();
    lines += "echo " + text + '\n';
    asked.push_back({command::echo, std::move(text)});
  }
}

std::string client::some_text() {
  bool is_long = dice_.below(20) == 0;
  std::string text(is_long ? dice_.below(4000) : 16 + dice_.below(240), ' ');
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    bits = i % 16 == 0 ? dice_.next() : bits >> 4U;
    text[i] = static_cast<char>('a' + bits % 16);
  }
  return text;
}

void client::check(const question& asked, std::string_view answer) {
  bool is_exact = asked.what == command::hello || asked.what == command::echo;
  if (is_exact ? answer == asked.expected : answer.starts_with(asked.expected)) {
    counts_.add_answer(asked.what, answer);
    of_.at->answered_count.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  ++counts_.failed;
  complain(
      fmt::format("connection {}: expected '{:.40}', got '{:.40}'", id_, asked.expected, answer));
}

// Where connections and coordinator are killed this is no news.
void client::complain(const std::string& text) {
  if (!of_.at->wanted.chaos) of_.at->heard.say(trouble::answer, text);
}

troupe::task<std::string> client::next_answer() {
  auto line = co_await troupe::timeout(answer_time, answers_.next_line());
  if (!line) troupe::throw_error(make_error_code(troupe::errc::end_of_stream));
  co_return std::move(*line);
}

troupe::task<> client::quit() {
  ++counts_.requests;
  co_await server_.write_all("quit\n");
  std::string answer = co_await next_answer();
  check({command::hello, "bye"}, answer);
  ended_well_ = true;
}

}  // namespace service
