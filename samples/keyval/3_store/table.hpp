#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

namespace keyval {

/// So that tables keyed by std::string are asked by std::string_view.
struct text_hash {
  using is_transparent = void;
  using is_avalanching = void;  // Its bits are well mixed: the tables need not mix them again.
  std::size_t operator()(std::string_view text) const noexcept {
    return std::hash<std::string_view>{}(text);
  }
};
// A look-up costs two misses of the cache at most, where std::unordered_map follows a chain. What
// lies in such a table moves when it grows.
template <class Value>
using table_of = boost::unordered_flat_map<std::string, Value, text_hash, std::equal_to<>>;

using list_value = std::deque<std::string>;
using hash_value = table_of<std::string>;
using set_value = boost::unordered_flat_set<std::string, text_hash, std::equal_to<>>;
using any_value = std::variant<std::string, list_value, hash_value, set_value>;

/// What is there under a key, looked for as a T.
template <class T>
struct looked_up {
  T* found = nullptr;         ///< Null where there is nothing, or something else.
  bool is_something = false;  ///< There is something; without `found` it is something else.

  [[nodiscard]] bool is_of_other_type() const noexcept { return is_something && found == nullptr; }
};

/// The keys and their values.
class table {
public:
  template <class T>
  [[nodiscard]] looked_up<T> find(std::string_view key) {
    auto at = values_.find(key);
    if (at == values_.end()) return {};
    return {std::get_if<T>(&at->second), true};
  }
  [[nodiscard]] bool contains(std::string_view key) const {
    return values_.find(key) != values_.end();
  }

  /// Sets a text, whatever was there.
  void set_text(std::string_view key, std::string_view text) {
    auto at = values_.find(key);
    if (at == values_.end()) {
      values_.emplace(key, std::string{text});
    } else if (auto* was = std::get_if<std::string>(&at->second)) {
      was->assign(text);
    } else {
      at->second = std::string{text};
    }
  }
  /// Returns: a new, empty T under a key where there is nothing.
  template <class T>
  T& make(std::string_view key) {
    return values_.emplace(key, T{}).first->second.template emplace<T>();
  }

  bool erase(std::string_view key) {
    auto at = values_.find(key);
    if (at == values_.end()) return false;
    values_.erase(at);
    return true;
  }
  void clear() { values_.clear(); }

  [[nodiscard]] std::size_t size() const noexcept { return values_.size(); }
  [[nodiscard]] auto begin() const noexcept { return values_.begin(); }
  [[nodiscard]] auto end() const noexcept { return values_.end(); }

private:
  table_of<any_value> values_;
};

}  // namespace keyval
