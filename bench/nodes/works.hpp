#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <troupe/actor/actor.hpp>
#include <troupe/node/node.hpp>

namespace troupe::bench {

struct answer {
  std::uint64_t number;
};
struct question {
  using reply = answer;
  std::uint64_t number;
};
struct reading {
  std::uint32_t sensor;
  std::int64_t at;
  double value;
};
struct page {
  std::string text;
};
struct counted {  ///< How many readings and pages have come.
  using reply = std::uint64_t;
};
using station = protocol<question, reading, page, counted>;

/// What one run is told.
struct settings {
  std::size_t workers = 2;
  std::size_t size = 0;  ///< 0: the work's own.
  std::size_t warm_up = 0;
  std::uint16_t port = 0;
  std::size_t seconds = 30;  ///< That the receiver is stopped, for `memory`.
  pid_t peer = 0;            ///< The process of the server, for what is done to it.
  std::string tls{};         ///< The folder of ca.pem, node.pem, node.key; empty: plain links.
  std::string book{};        ///< The file in which the server notes what it has run.
};

/// A figure of a work: name, value, unit.
struct figure {
  const char* name;
  double value;
  const char* unit;
};
using figures = std::vector<figure>;

/// What a work has at hand: a link to the other process, and the actor there.
struct link_in_use {
  const settings& given;
  node& here;
  remote_node there;
  ref<station> to;
};

// --- how fast it is ---

task<figures> requests(link_in_use& link);
task<figures> one_way(link_in_use& link);
task<figures> latency(link_in_use& link);

// --- what happens when the other process is killed, stopped, or too slow ---

task<figures> kill_peer(link_in_use& link);
task<figures> silence_peer(link_in_use& link);
task<figures> memory(link_in_use& link);
/// Asks until SIGTERM, over all losses of the link; then checks that each request has ended once.
task<figures> load(link_in_use& link);

/// One byte for each request, in a file: what a process that was killed has run is still known.
class run_book {
public:
  static constexpr std::size_t size_bytes = std::size_t{1} << 25U;

  run_book() = default;
  explicit run_book(const std::string& file);

  [[nodiscard]] bool is_there() const noexcept { return !bytes_.empty(); }
  void note(std::uint64_t number) noexcept {
    if (number < bytes_.size()) ++bytes_[number];
  }
  [[nodiscard]] unsigned runs_of(std::uint64_t number) const noexcept { return bytes_[number]; }

private:
  std::span<unsigned char> bytes_;
};

using real_clock = std::chrono::steady_clock;

inline double seconds_since(real_clock::time_point start) {
  return std::chrono::duration<double>(real_clock::now() - start).count();
}

inline std::size_t size_or(const settings& given, std::size_t usual) {
  return given.size == 0 ? usual : given.size;
}

}  // namespace troupe::bench
