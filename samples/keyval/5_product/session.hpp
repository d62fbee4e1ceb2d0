#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <troupe/actor/actor.hpp>
#include <troupe/io/stream.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/task.hpp>

#include "batch.hpp"
#include "channels.hpp"
#include "shard.hpp"

namespace keyval {

/// What all sessions share.
struct site {
  std::vector<troupe::ref<shard>> shards;
  troupe::ref<channels> hub;
  request_limits limits{};
  std::size_t max_sessions = 10'000;
  std::chrono::nanoseconds write_limit = std::chrono::seconds{60};
  bool has_journal = false;
  std::atomic<std::size_t> sessions{0};
  std::atomic<std::uint64_t> last_id{0};
};

/// One peer: reads what it asks, has the shards do it, and writes the answers in order.
///
/// All whole requests of one read are one batch: each shard is asked once, and there is one write.
/// Stopped, it finishes the batch at hand.
/// Bounds: the requests of one read and their answers; of what was published 32 MiB that are not
///         written yet: one that takes less is closed.
class session final : public troupe::actor {
public:
  session(troupe::io::stream peer, std::shared_ptr<site> at);
  session(const session&) = delete;
  session& operator=(const session&) = delete;
  ~session() { at_->sessions.fetch_sub(1, std::memory_order_relaxed); }

  void on_start();
  void on(const published& m);
  troupe::task<> on_stop();

private:
  enum class step : unsigned char { batch, between, end };

  troupe::task<> converse();
  troupe::task<> answer_all();
  step collect();
  step take(words asked);
  troupe::task<> run_batch();
  void answer_here(const command& what, words asked, answers& out);
  void answer_command(words asked, answers& out) const;
  void answer_config(words asked, answers& out) const;
  troupe::task<> answer_between(const command& what, words asked);
  void greet(words asked);
  troupe::task<> listen(words channels);
  troupe::task<> listen_no_more(words channels);
  void tell_subscription(std::string_view kind, std::string_view channel);
  troupe::task<> tell(words asked);
  troupe::task<> write_news();
  troupe::task<> write_out();

  troupe::io::stream peer_;
  std::shared_ptr<site> at_;
  requests asked_;
  batch batch_;
  answers out_;
  std::string sending_;
  std::size_t sent_bytes_ = 0;  // Of these.
  bool is_sending_ = false;
  troupe::event has_sent_;
  std::set<std::string, std::less<>> channels_;
  std::uint64_t id_;
  bool is_over_ = false;    // After what is to be written.
  bool is_broken_ = false;  // Nothing can be written any more.
  bool is_stopping_ = false;
};

}  // namespace keyval
