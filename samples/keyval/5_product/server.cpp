#include "server.hpp"

#include <chrono>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include <troupe/actor/format.hpp>
#include <troupe/sync/mpsc.hpp>

#include "batch.hpp"

namespace keyval {

namespace {

unix_ms system_time() {
  auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

// Does once more what a journal tells.
class replay {
public:
  explicit replay(std::vector<troupe::ref<shard>> shards)
      : shards_{std::move(shards)}, batch_{shards_.size()} {}

  // Returns: what was found, as a line.
  troupe::task<std::string> run_all(disk& from) {
    constexpr std::size_t read_bytes = 1 << 20;
    std::string held;
    std::uint64_t offset = 0;  // Up to there all is done.
    bool is_broken = false;
    while (!is_broken) {
      std::string more = co_await from.read(offset + held.size(), read_bytes);
      if (more.empty()) break;
      held += more;
      std::string_view rest = held;
      for (;;) {
        record next = first_record(rest);
        is_broken = next.is_broken;
        if (next.requests.empty()) break;
        co_await run_one(next.requests);
        rest.remove_prefix(next.size_bytes);
      }
      offset += held.size() - rest.size();
      held.erase(0, held.size() - rest.size());
    }
    std::string line = fmt::format("journal: {} changes in {} bytes", changes_, offset);
    if (!held.empty()) {
      std::uint64_t size_bytes = offset + held.size();
      for (;;) {
        std::string more = co_await from.read(size_bytes, read_bytes);
        if (more.empty()) break;
        size_bytes += more.size();
      }
      co_await from.cut(offset);
      line += fmt::format("; {} bytes that follow are no whole record, and are cut off",
                          size_bytes - offset);
    }
    co_return line;
  }

private:
  troupe::task<> run_one(std::string_view requests_text) {
    while (!requests_text.empty()) {
      std::span<char> room = reader_.room();
      std::size_t count = std::min(room.size(), requests_text.size());
      requests_text.copy(room.data(), count);
      reader_.took(count);
      requests_text.remove_prefix(count);
      while (reader_.next() == requests::found::request) {
        words asked = reader_.request();
        batch_.add(*find_command(asked[0]), asked, reader_.bytes());
        ++changes_;
      }
      co_await run_batch();
    }
  }
  troupe::task<> run_batch() {
    for (std::size_t i = 0; i < shards_.size(); ++i) {
      part_ptr& each = batch_.parts()[i];
      if (each->calls.empty()) continue;
      each->is_replay = true;
      each = co_await shards_[i].ask<run>(troupe::no_deadline, std::move(each));
    }
    answers ignored;
    batch_.take_answers(ignored);
  }

  std::vector<troupe::ref<shard>> shards_;
  batch batch_;
  requests reader_;
  std::uint64_t changes_ = 0;
};

// Tells a peer that there is no place for it.
class refusal final : public troupe::actor {
public:
  explicit refusal(troupe::io::stream peer) : peer_{std::move(peer)} {}

  // A fresh socket has room for a line: this does not wait.
  troupe::task<> on_start() {
    static constexpr std::string_view line = "-ERR max number of clients reached\r\n";
    auto written = co_await peer_.write_some(line).as_result();
    if (written) co_await peer_.shutdown().as_result();
  }

private:
  troupe::io::stream peer_;
};

troupe::ref<troupe::actors::any_actor> welcome(troupe::io::stream peer,
                                               const std::shared_ptr<site>& at) {
  if (at->sessions.load(std::memory_order_relaxed) >= at->max_sessions) {
    return troupe::spawn<refusal>(std::move(peer));
  }
  return troupe::spawn<session>(std::move(peer), at);
}

}  // namespace

troupe::task<std::string> first_end(std::vector<troupe::ref<troupe::actors::any_actor>> of) {
  auto [tell, told] = troupe::mpsc<std::string>(1);
  for (auto& each : of) {
    auto watch = [](troupe::ref<troupe::actors::any_actor> whom,
                    troupe::sender<std::string> to) -> troupe::task<> {
      troupe::exit_reason why = co_await whom.ended();
      // Only the first one counts.
      (void)to.try_send(fmt::format("{}: {}", whom.name(), why));
    };
    troupe::spawn(watch, std::move(each), tell).detach();
  }
  auto first = co_await told.recv();
  co_return *first;
}

troupe::task<server> open_server(troupe::io::listener source, server_options wanted) {
  wall_clock clock = wanted.clock ? wanted.clock : wall_clock{system_time};
  bool has_journal = wanted.journal_at != nullptr;
  disk* journal_at = wanted.journal_at.get();
  // At a stop what was started last ends first: who asks before who answers.
  std::optional<troupe::ref<journal>> writes_to;
  if (has_journal) writes_to = open_journal(std::move(wanted.journal_at));
  std::vector<troupe::ref<shard>> shards;
  for (std::size_t i = 0; i < wanted.shards; ++i) {
    shards.push_back(troupe::spawn<shard>(clock, writes_to));
  }
  std::string replayed;
  if (has_journal) {
    replay all{shards};
    replayed = co_await all.run_all(*journal_at);
  }
  auto hub = troupe::spawn<channels>();
  std::vector<troupe::ref<troupe::actors::any_actor>> parts{shards.begin(), shards.end()};
  parts.emplace_back(hub);
  if (writes_to) parts.emplace_back(*writes_to);
  auto at = std::make_shared<site>(std::move(shards), std::move(hub));
  at->limits.max_word_bytes = wanted.max_word_bytes;
  at->max_sessions = wanted.max_sessions;
  at->has_journal = has_journal;
  auto make = [at](troupe::io::stream peer) { return welcome(std::move(peer), at); };
  auto door = troupe::spawn<troupe::actors::listener>(std::move(source), make);
  co_return server{std::move(door), std::move(parts), std::move(replayed)};
}

}  // namespace keyval
