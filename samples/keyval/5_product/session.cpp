#include "session.hpp"

#include <algorithm>
#include <utility>

#include <troupe/sched/timeout.hpp>
#include <troupe/task/shield.hpp>
#include <troupe/task/when_all.hpp>

namespace keyval {

namespace {

constexpr std::size_t max_kept_bytes = 1 << 20;
constexpr std::size_t max_unsent_bytes = 32 << 20;
constexpr std::chrono::milliseconds stop_limit{500};  // How long a peer may then take nothing.

troupe::task<part_ptr> have_run(const troupe::ref<shard>& by, part_ptr what) {
  co_return co_await by.ask<run>(troupe::no_deadline, std::move(what));
}

// Has each shard do its part. With a journal at the same time: then its disk is waited for once.
// Else nobody waits for anything, and in order is less to do: a shard that sleeps answers within
// the turn that asks.
troupe::task<> have_all_run(std::shared_ptr<site> at, std::span<part_ptr> parts) {
  std::vector<std::size_t> asked;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!parts[i]->calls.empty()) asked.push_back(i);
  }
  if (!at->has_journal || asked.size() == 1) {
    for (std::size_t each : asked) {
      parts[each] = co_await at->shards[each].ask<run>(troupe::no_deadline, std::move(parts[each]));
    }
    co_return;
  }
  std::vector<troupe::task<part_ptr>> runs;
  runs.reserve(asked.size());
  for (std::size_t each : asked) runs.push_back(have_run(at->shards[each], std::move(parts[each])));
  std::vector<part_ptr> back = co_await troupe::when_all(std::move(runs));
  for (std::size_t i = 0; i < asked.size(); ++i) parts[asked[i]] = std::move(back[i]);
}

}  // namespace

session::session(troupe::io::stream peer, std::shared_ptr<site> at)
    : peer_{std::move(peer)},
      at_{std::move(at)},
      asked_{at_->limits},
      batch_{at_->shards.size()},
      id_{at_->last_id.fetch_add(1, std::memory_order_relaxed) + 1} {
  at_->sessions.fetch_add(1, std::memory_order_relaxed);
}

// Published messages are handled while it waits for the peer.
void session::on_start() {
  self().spawn([this] { return converse(); });
}

void session::on(const published& m) {
  out_.push(3);
  out_.bulk("message");
  out_.bulk(m.what->channel);
  out_.bulk(m.what->text);
  if (out_.bytes.size() > max_unsent_bytes) {
    is_broken_ = true;
    return self().stop();
  }
  // Not here: a handler that waits for a slow peer would hold up a stop.
  if (!is_sending_) self().spawn([this] { return write_news(); });
}

troupe::task<> session::write_news() {
  try {
    co_await write_out();
  } catch (const troupe::canceled&) {
    throw;
  } catch (const troupe::system_error&) {
    is_broken_ = true;
    self().stop();
  }
}

// What was done is answered, even when the stop came in between.
troupe::task<> session::on_stop() {
  if (is_broken_) co_return;
  is_stopping_ = true;
  try {
    co_await write_out();
    co_await peer_.shutdown();
  } catch (const troupe::system_error&) {
    // It does not want the rest.
  }
}

troupe::task<> session::converse() {
  try {
    while (!is_over_) {
      std::size_t count = co_await peer_.read_some(asked_.room());
      if (count == 0) break;
      asked_.took(count);
      co_await answer_all();
    }
  } catch (const troupe::canceled&) {
    throw;
  } catch (const troupe::system_error&) {
    // The peer has broken off, or takes nothing; or a shard or the journal has failed.
    is_broken_ = true;
  }
  self().stop();
}

troupe::task<> session::answer_all() {
  for (step next = step::between; next == step::between;) {
    next = collect();
    co_await run_batch();
    if (next != step::between) continue;
    words asked = asked_.request();
    const command* what = find_command(asked[0]);
    co_await answer_between(*what, asked);
  }
  co_await write_out();
}

// Adds requests to the batch up to one that has to wait for those before it.
session::step session::collect() {
  for (;;) {
    switch (asked_.next()) {
      case requests::found::request:
        if (step next = take(asked_.request()); next != step::batch) return next;
        break;
      case requests::found::nothing:
        return step::end;
      case requests::found::garbage:
        batch_.add_known(out_.speaks).error(asked_.complaint());
        is_over_ = true;
        return step::end;
    }
  }
}

session::step session::take(words asked) {
  const command* what = find_command(asked[0]);
  if (what == nullptr) {
    refuse_unknown(asked, batch_.add_known(out_.speaks));
    return step::batch;
  }
  bool is_odd = what->goes == route::each_pair && asked.size() % 2 == 0;
  if (!what->takes(asked.size()) || is_odd) {
    refuse_count(what->name, batch_.add_known(out_.speaks));
    return step::batch;
  }
  bool only_listens = !channels_.empty() && out_.speaks == protocol::resp2;
  bool may = what->what == own::subscribe || what->what == own::unsubscribe ||
             what->what == own::ping || what->what == own::quit;
  if (only_listens && !may) {
    batch_.add_known(out_.speaks)
        .error("ERR Can't execute '" + std::string{what->name} +
               "': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in "
               "this context");
    return step::batch;
  }
  if (what->goes == route::between) return step::between;
  if (what->goes == route::here) {
    answer_here(*what, asked, batch_.add_known(out_.speaks));
    return is_over_ ? step::end : step::batch;
  }
  bool is_odd_flush = what->how == joined::ok && what->goes == route::all_shards &&
                      (asked.size() > 2 || (asked.size() == 2 && !is_word(asked[1], "async") &&
                                            !is_word(asked[1], "sync")));
  if (is_odd_flush) {
    batch_.add_known(out_.speaks).error("ERR syntax error");
    return step::batch;
  }
  batch_.add(*what, asked, asked_.bytes());
  return step::batch;
}

troupe::task<> session::run_batch() {
  if (batch_.is_empty()) co_return;
  bool has_calls = false;
  for (const part_ptr& each : batch_.parts()) {
    each->out.speaks = out_.speaks;
    has_calls = has_calls || !each->calls.empty();
  }
  // A stop does not come in between: what is begun is answered.
  if (has_calls) co_await troupe::shield(have_all_run(at_, batch_.parts()));
  batch_.take_answers(out_);
}

// One at a time writes; what is added meanwhile goes out with it.
troupe::task<> session::write_out() {
  while (is_sending_) co_await has_sent_.wait();
  struct turn {
    explicit turn(session& whose) : of{whose} {
      of.is_sending_ = true;
      of.has_sent_.reset();
    }
    turn(const turn&) = delete;
    turn& operator=(const turn&) = delete;
    ~turn() {
      of.is_sending_ = false;
      of.has_sent_.set();
    }
    session& of;
  } mine{*this};
  for (;;) {
    if (sent_bytes_ == sending_.size()) {
      sent_bytes_ = 0;
      sending_.clear();
      if (sending_.capacity() > max_kept_bytes) sending_.shrink_to_fit();
      if (out_.bytes.empty()) co_return;
      sending_.swap(out_.bytes);
    }
    std::string_view rest = std::string_view{sending_}.substr(sent_bytes_);
    troupe::duration limit = is_stopping_ ? stop_limit : at_->write_limit;
    sent_bytes_ += co_await troupe::timeout(limit, peer_.write_some(rest));
  }
}

}  // namespace keyval
