#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <troupe/actor/actor.hpp>
#include <troupe/base/log.hpp>

namespace troupe::inline v0_1::actors {

struct cache_options {
  std::size_t max_entries = 1024;  ///< At more the one that was not asked for longest is let go.
  duration expiry{};               ///< How long a value is good; zero: for ever.
  duration negative_expiry{};      ///< How long a failure to load is; zero: it is not kept.
};

/// Asks a cache for the value of a key: `result<page> p = co_await pages.ask(actors::get{3});`
template <class K>
struct get {
  K key;
};
template <class K>
get(K) -> get<K>;

/// Gives a cache a value that did not come from its loader.
template <class K, class V>
struct put {
  K key;
  V value;
};
template <class K, class V>
put(K, V) -> put<K, V>;

/// Has a cache forget a key. What is being loaded for it goes to those who wait, and is not kept.
template <class K>
struct forget {
  K key;
};
template <class K>
forget(K) -> forget<K>;

struct cache_counts {
  std::size_t entries = 0;
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t loads = 0;  ///< Fewer than the misses: those who wait for the same key share one.
  std::uint64_t evicted = 0;
};
/// Asks a cache how it does.
struct count_cache {
  using reply = cache_counts;
};

/// Keeps what a loader has found. A key is loaded once, however many ask for it meanwhile, while
/// those who ask for others go on.
///
/// Requires: K can be copied and compared, and hashed by `Hash`; V can be copied: share what is
///           large, `cache<std::string, std::shared_ptr<const page>>`.
/// Errors:   of a get: the code of the system_error that the loader threw; for what else it threw
///           ask_errc::receiver_failed, and a line in the log; those of ask() itself. A failure is
///           not kept unless the options say so: the next get loads again.
/// Bounds:   `max_entries`, expired ones included, and those that are being loaded.
/// Example:
///     auto load = [](int id) -> task<user> { co_return co_await find_user(id); };
///     auto users = spawn<actors::cache<int, user>>(load, actors::cache_options{.expiry = 60s});
///     result<user> u = co_await users.ask(actors::get{7});
template <class K, class V, class Hash = std::hash<K>>
class cache final : public actor {
public:
  using load_function = std::function<task<V>(K)>;

  explicit cache(load_function load, cache_options options = {})
      : load_{std::move(load)}, options_{options} {
    if (options_.max_entries == 0) misuse("cache_options: max_entries must be 1 or more [A14]");
  }

  void on(get<K> m, reply<result<V>> back) {
    if (auto found = index_.find(m.key); found != index_.end()) {
      auto at = found->second;
      if (now() < at->good_until) {
        ++counts_.hits;
        recent_.splice(recent_.begin(), recent_, at);
        return back.answer(at->value);
      }
      remove(found);
    }
    ++counts_.misses;
    auto [loading, is_new] = loading_.try_emplace(m.key);
    loading->second.waiting.push_back(std::move(back));
    if (!is_new) return;
    ++counts_.loads;
    self().spawn([this, key = std::move(m.key)] { return load(key); });
  }
  void on(put<K, V> m) {
    if (auto loading = loading_.find(m.key); loading != loading_.end()) {
      loading->second.is_stale = true;
    }
    keep(m.key, succeeded_with<V>(std::move(m.value)), options_.expiry);
  }
  void on(forget<K> m) {
    if (auto loading = loading_.find(m.key); loading != loading_.end()) {
      loading->second.is_stale = true;
    }
    if (auto found = index_.find(m.key); found != index_.end()) remove(found);
  }
  cache_counts on(count_cache) const {
    cache_counts present = counts_;
    present.entries = index_.size();
    return present;
  }

private:
  struct entry {
    K key;
    result<V> value;
    time_point good_until;
  };
  struct load_under_way {
    std::vector<reply<result<V>>> waiting;
    bool is_stale = false;  // The key was forgotten, or put, since it began.
  };
  using entries = std::list<entry>;
  using index_type = std::unordered_map<K, typename entries::iterator, Hash>;

  task<> load(K key) {
    result<V> found = failed_with<V>(make_error_code(ask_errc::receiver_failed));
    try {
      V value = co_await load_(key);
      found = succeeded_with<V>(std::move(value));
    } catch (const system_error& error) {
      found = failed_with<V>(error.code());
    } catch (const std::exception& error) {
      log(log_level::warning, std::string{"a cache's loader has failed: "} + error.what());
    }
    auto ended = loading_.extract(key);
    duration good_for = found ? options_.expiry : options_.negative_expiry;
    bool is_kept = !ended.mapped().is_stale && (found || good_for > duration::zero());
    for (auto& each : ended.mapped().waiting) each.answer(found);
    if (is_kept) keep(key, std::move(found), good_for);
  }

  void keep(const K& key, result<V> value, duration good_for) {
    time_point until = good_for > duration::zero() ? now() + good_for : time_point::max();
    if (auto found = index_.find(key); found != index_.end()) remove(found);
    recent_.push_front(entry{key, std::move(value), until});
    index_.emplace(key, recent_.begin());
    if (index_.size() <= options_.max_entries) return;
    ++counts_.evicted;
    remove(index_.find(recent_.back().key));
  }
  void remove(typename index_type::iterator found) {
    recent_.erase(found->second);
    index_.erase(found);
  }

  load_function load_;
  cache_options options_;
  entries recent_;  // What was asked for last comes first.
  index_type index_;
  std::unordered_map<K, load_under_way, Hash> loading_;
  cache_counts counts_;
};

}  // namespace troupe::inline v0_1::actors
