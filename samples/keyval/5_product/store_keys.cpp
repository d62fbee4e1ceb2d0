// What commands do to keys, whatever stands under them.

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "../2_parse/numbers.hpp"
#include "store.hpp"

namespace keyval {

namespace {

constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();

// Looks whether a letter is in a class such as [a-z] or [^a-z], whose text begins at the bracket,
// and goes on to its closing bracket, or to the last letter where it has none.
bool is_in_class(std::string_view& pattern, char letter) noexcept {
  pattern.remove_prefix(1);
  bool is_negated = pattern.starts_with('^');
  if (is_negated) pattern.remove_prefix(1);
  bool is_in = false;
  for (;; pattern.remove_prefix(1)) {
    if (pattern.size() >= 2 && pattern[0] == '\\') {
      pattern.remove_prefix(1);
      is_in = is_in || pattern[0] == letter;
    } else if (pattern.starts_with(']')) {
      break;
    } else if (pattern.empty()) {
      return is_in != is_negated;
    } else if (pattern.size() >= 3 && pattern[1] == '-') {
      char from = std::min(pattern[0], pattern[2]), to = std::max(pattern[0], pattern[2]);
      pattern.remove_prefix(2);
      is_in = is_in || (from <= letter && letter <= to);
    } else {
      is_in = is_in || pattern[0] == letter;
    }
  }
  return is_in != is_negated;
}

// Whether one letter is what the pattern begins with; goes past that.
bool takes_letter(std::string_view& pattern, char letter) noexcept {
  bool is_right = true;
  if (pattern[0] == '[') {
    is_right = is_in_class(pattern, letter);
  } else if (pattern[0] != '?') {
    if (pattern[0] == '\\' && pattern.size() >= 2) pattern.remove_prefix(1);
    is_right = pattern[0] == letter;
  }
  if (!pattern.empty()) pattern.remove_prefix(1);
  return is_right;
}

}  // namespace

// Only the last star is ever tried anew, so that no pattern takes more than size times size steps.
bool matches(std::string_view pattern, std::string_view text) noexcept {
  std::string_view after_star, rest_at_star;
  bool has_star = false;
  for (;;) {
    if (pattern.starts_with('*')) {
      pattern.remove_prefix(1);
      if (pattern.empty()) return true;
      after_star = pattern;
      rest_at_star = text;
      has_star = true;
      continue;
    }
    if (pattern.empty() && text.empty()) return true;
    if (!pattern.empty() && !text.empty() && takes_letter(pattern, text[0])) {
      text.remove_prefix(1);
      continue;
    }
    if (!has_star || rest_at_star.empty()) return false;
    rest_at_star.remove_prefix(1);
    text = rest_at_star;
    pattern = after_star;
  }
}

void store::del(words asked, answers& out) {
  end_if_over(asked[1]);
  bool was_there = values_.contains(asked[1]);
  if (was_there) {
    erase(asked[1]);
    log(asked);
  }
  out.number(was_there ? 1 : 0);
}

void store::exists(words asked, answers& out) {
  end_if_over(asked[1]);
  out.number(values_.contains(asked[1]) ? 1 : 0);
}

void store::dbsize(words, answers& out) { out.number(static_cast<std::int64_t>(values_.size())); }

void store::keys(words asked, answers& out) {
  std::vector<std::string_view> found;
  for (const auto& [key, value] : values_) {
    std::optional<unix_ms> when = times_.is_empty() ? std::nullopt : times_.of(key);
    bool is_over = when && *when <= now_;
    if (!is_over && matches(asked[1], key)) found.push_back(key);
  }
  out.list(found.size());
  for (std::string_view each : found) out.bulk(each);
}

// Other shards may be emptied earlier or later: as one record it would take theirs with it.
void store::flushall(words, answers&) {
  if (is_logging_) {
    for (const auto& each : values_) log({"DEL", each.first});
  }
  values_.clear();
  times_.clear();
}

void store::expire(words asked, answers& out) { expire_at(asked, 1000, now_, out); }
void store::pexpireat(words asked, answers& out) { expire_at(asked, 1, 0, out); }

void store::expire_at(words asked, unix_ms unit, unix_ms base, answers& out) {
  bool nx = false, xx = false, gt = false, lt = false;
  for (std::string_view each : asked.subspan(3)) {
    bool& which = is_word(each, "nx")   ? nx
                  : is_word(each, "xx") ? xx
                  : is_word(each, "gt") ? gt
                                        : lt;
    if (&which == &lt && !is_word(each, "lt")) {
      return out.error("ERR Unsupported option " + std::string{each});
    }
    which = true;
  }
  if (nx && (xx || gt || lt)) {
    return out.error("ERR NX and XX, GT or LT options at the same time are not compatible");
  }
  if (gt && lt) {
    return out.error("ERR GT and LT options at the same time are not compatible");
  }
  std::optional<std::int64_t> time = number_of(asked[2]);
  if (!time) return out.error("ERR value is not an integer or out of range");
  if (*time > most / unit || *time < least / unit || *time * unit > most - base) {
    std::string name = unit == 1 ? "pexpireat" : "expire";
    return out.error("ERR invalid expire time in '" + name + "' command");
  }
  unix_ms when = *time * unit + base;
  std::string_view key = asked[1];
  end_if_over(key);
  if (!values_.contains(key) || !may_expire(asked.subspan(3), key, when)) return out.number(0);
  if (when <= now_) {
    erase(key);
    log({"DEL", key});
  } else {
    times_.set(key, when);
    std::string text = std::to_string(when);
    log({"PEXPIREAT", key, text});
  }
  out.number(1);
}

bool store::may_expire(words conditions, std::string_view key, unix_ms when) const {
  std::optional<unix_ms> was = times_.of(key);
  for (std::string_view each : conditions) {
    if (is_word(each, "nx") && was) return false;
    if (is_word(each, "xx") && !was) return false;
    if (is_word(each, "gt") && (!was || when <= *was)) return false;
    if (is_word(each, "lt") && was && when >= *was) return false;
  }
  return true;
}

void store::ttl(words asked, answers& out) {
  end_if_over(asked[1]);
  if (!values_.contains(asked[1])) return out.number(-2);
  std::optional<unix_ms> when = times_.of(asked[1]);
  out.number(when ? (*when - now_ + 500) / 1000 : -1);
}

void store::persist(words asked, answers& out) {
  end_if_over(asked[1]);
  bool had_time = times_.forget(asked[1]);
  if (had_time) log(asked);
  out.number(had_time ? 1 : 0);
}

}  // namespace keyval
