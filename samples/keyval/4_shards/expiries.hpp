#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "../3_store/table.hpp"

namespace keyval {

/// Milliseconds since 1970.
using unix_ms = std::int64_t;

/// When keys are over, for those that ever are.
class expiries {
public:
  [[nodiscard]] bool is_empty() const noexcept { return times_.empty(); }
  [[nodiscard]] std::optional<unix_ms> of(std::string_view key) const {
    auto at = times_.find(key);
    if (at == times_.end()) return std::nullopt;
    return at->second;
  }
  void set(std::string_view key, unix_ms when) {
    forget(key);
    times_.emplace(key, when);
    order_.emplace(when, key);
  }
  /// Returns: whether there was a time.
  bool forget(std::string_view key) {
    auto at = times_.find(key);
    if (at == times_.end()) return false;
    order_.erase({at->second, at->first});
    times_.erase(at);
    return true;
  }
  void clear() {
    times_.clear();
    order_.clear();
  }

  /// Returns: the key whose time comes first. Requires: there is one.
  [[nodiscard]] const std::pair<unix_ms, std::string>& first() const { return *order_.begin(); }

private:
  table_of<unix_ms> times_;
  std::set<std::pair<unix_ms, std::string>> order_;
};

/// Which of `shards` has a key: always the same one.
inline std::size_t shard_of(std::string_view key, std::size_t shards) noexcept {
  return shards == 1 ? 0 : text_hash{}(key) % shards;
}

}  // namespace keyval
