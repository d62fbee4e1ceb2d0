// Two processes that are nodes, for the benchmark: `troupe_nodes_bench serve` publishes an actor
// and says where it listens; `troupe_nodes_bench WORK --port N` links to it, does the work, and
// prints one line per figure: name, "troupe", median, unit, min, max, by tabs.

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <troupe/actor/undelivered.hpp>
#include <troupe/net/signals.hpp>
#include <troupe/runtime/run.hpp>

#include "works.hpp"

namespace troupe::bench {

run_book::run_book(const std::string& file) {
  if (file.empty()) return;
  int opened = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (opened < 0 || ::ftruncate(opened, size_bytes) != 0) {
    throw std::system_error{errno, std::generic_category(), file};
  }
  void* at = ::mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, opened, 0);
  if (at == MAP_FAILED) throw std::system_error{errno, std::generic_category(), file};
  ::close(opened);
  bytes_ = {static_cast<unsigned char*>(at), size_bytes};
}

namespace {

class keeper final : public actor {
public:
  explicit keeper(run_book book) : book_{book} {}

  answer on(question asked) {
    book_.note(asked.number);
    return {asked.number + 1};
  }
  void on(reading) { ++count_; }
  void on(const page&) { ++count_; }
  std::uint64_t on(counted) const { return count_; }

private:
  run_book book_;
  std::uint64_t count_ = 0;
};

node_options options_of(const settings& given) {
  node_options options;
  if (given.tls.empty()) return options;
  node_tls with;
  with.self.certificate_chain = tls::pem::file(given.tls + "/node.pem");
  with.self.private_key = tls::pem::file(given.tls + "/node.key");
  with.trusted = tls::pem::file(given.tls + "/ca.pem");
  options.security = node_security::mutual_tls(std::move(with));
  return options;
}

task<> serve(settings given) {
  net::signals ends{SIGTERM, SIGINT};
  node_options options = options_of(given);
  options.listen_on = fmt::format("127.0.0.1:{}", given.port);
  node here = co_await node::start(std::move(options));
  auto kept = spawn<keeper>(run_book{given.book});
  here.publish<station>("station", kept);
  fmt::print("listening on 127.0.0.1:{}\n", here.port());
  std::fflush(stdout);
  co_await ends.next();
  co_await here.shut_down();
}

using work = task<figures> (*)(link_in_use&);
const std::map<std::string_view, work> works{
    {"requests", &requests},    {"one_way", &one_way}, {"latency", &latency}, {"kill", &kill_peer},
    {"silence", &silence_peer}, {"memory", &memory},   {"load", &load},
};

void print(const figures& all) {
  for (const figure& each : all) {
    fmt::print("{0}\ttroupe\t{1:.6g}\t{2}\t{1:.6g}\t{1:.6g}\n", each.name, each.value, each.unit);
  }
}

task<> measure(settings given, work what, bool is_memory) {
  node_options options = options_of(given);
  if (is_memory) options.down_after = std::chrono::seconds{60};
  node here = co_await node::start(std::move(options));
  remote_node there = co_await here.connect(fmt::format("127.0.0.1:{}", given.port));
  auto to = co_await there.find<station>("station");
  link_in_use link{given, here, there, to};
  for (std::size_t i = 0; i < given.warm_up; ++i) (void)co_await what(link);
  print(co_await what(link));
  co_await here.shut_down();
}

int usage(std::string_view problem) {
  fmt::print(stderr,
             "troupe_nodes_bench: {}\nusage: troupe_nodes_bench serve|WORK [--port N] "
             "[--workers N] [--size N] [--warm-up N] [--seconds N] [--peer PID] [--tls FOLDER] "
             "[--book FILE]\nworks:",
             problem);
  for (const auto& each : works) fmt::print(stderr, " {}", each.first);
  fmt::print(stderr, "\n");
  return 2;
}

template <class Number>
bool read(std::string_view text, Number& into) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  return error == std::errc{} && end == text.data() + text.size();
}

bool take(settings& given, std::string_view name, std::string_view value) {
  if (name == "--workers") return read(value, given.workers) && given.workers > 0;
  if (name == "--size") return read(value, given.size);
  if (name == "--warm-up") return read(value, given.warm_up);
  if (name == "--port") return read(value, given.port);
  if (name == "--seconds") return read(value, given.seconds);
  if (name == "--peer") return read(value, given.peer);
  if (name == "--tls") given.tls = value;
  if (name == "--book") given.book = value;
  return name == "--tls" || name == "--book";
}

std::size_t count_threads() {
  std::size_t count = 0;
  for (const auto& each : std::filesystem::directory_iterator{"/proc/self/task"}) {
    count += each.path().empty() ? 0U : 1U;
  }
  return count;
}

// Returns: how many threads there are, once those that were joined are off the list.
std::size_t threads_left(std::size_t usual) {
  auto begin = real_clock::now();
  std::size_t count = count_threads();
  while (count > usual && seconds_since(begin) < 0.1) count = count_threads();
  return count;
}

}  // namespace

}  // namespace troupe::bench

int main(int argc, char** argv) {
  using namespace troupe::bench;
  std::vector<std::string_view> words(argv + 1, argv + argc);
  if (words.empty()) return usage("no work given");
  settings given;
  for (std::size_t i = 1; i < words.size(); i += 2) {
    std::string_view value = i + 1 < words.size() ? words[i + 1] : std::string_view{};
    if (!take(given, words[i], value)) {
      return usage(fmt::format("unknown or impossible: {} {}", words[i], value));
    }
  }
  // A message that was on its way when a link is lost is no news here.
  troupe::set_undelivered_sink([](const troupe::undelivered&) {});
  troupe::runtime_config config;
  config.workers = given.workers;
  config.handle_signals = false;
  std::thread{[] {}}.join();  // A sanitizer starts one of its own with the first.
  const std::size_t usual = threads_left(1);
  int code = 0;
  if (words[0] == "serve") {
    code = troupe::run(config, serve, given);
  } else {
    auto found = works.find(words[0]);
    if (found == works.end()) return usage(fmt::format("no work '{}'", words[0]));
    code = troupe::run(config, measure, given, found->second, words[0] == "memory");
  }
  std::size_t threads = threads_left(usual);
  if (threads <= usual) return code;
  fmt::print(stderr, "troupe_nodes_bench: {} threads are left\n", threads);
  return 3;
}
