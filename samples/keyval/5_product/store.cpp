#include "store.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <limits>
#include <vector>

#include "../2_parse/numbers.hpp"

namespace keyval {

namespace {

constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t max_text_bytes = std::size_t{512} * 1024 * 1024;

void refuse_type(answers& out) {
  out.error("WRONGTYPE Operation against a key holding the wrong kind of value");
}
void refuse_number(answers& out) { out.error("ERR value is not an integer or out of range"); }
void refuse_time(std::string_view command, answers& out) {
  out.error("ERR invalid expire time in '" + std::string{command} + "' command");
}

class decimal {
public:
  explicit decimal(std::int64_t value) noexcept
      : end_{std::to_chars(text_, text_ + sizeof text_, value).ptr} {}
  [[nodiscard]] std::string_view text() const noexcept {
    return {text_, static_cast<std::size_t>(end_ - text_)};
  }

private:
  char text_[20];
  char* end_;
};

}  // namespace

// ---- what all commands share

std::optional<unix_ms> store::next_expiry() const {
  if (times_.is_empty()) return std::nullopt;
  return times_.first().first;
}

bool store::sweep(std::size_t limit) {
  for (std::size_t i = 0; i < limit; ++i) {
    if (times_.is_empty() || times_.first().first > now_) return false;
    std::string key = times_.first().second;
    end_if_over(key);
  }
  return true;
}

void store::end_if_over(std::string_view key) {
  if (times_.is_empty()) return;
  std::optional<unix_ms> when = times_.of(key);
  if (!when || *when > now_) return;
  log({"DEL", key});
  erase(key);
}

void store::erase(std::string_view key) {
  if (!times_.is_empty()) times_.forget(key);
  values_.erase(key);
}

template <class T>
T* store::look_or_make(std::string_view key, answers& out) {
  auto at = look<T>(key);
  if (at.is_of_other_type()) {
    refuse_type(out);
    return nullptr;
  }
  return at.found != nullptr ? at.found : &values_.make<T>(key);
}

template <class T>
T* store::look_or_answer(std::string_view key, answers& out) {
  auto at = look<T>(key);
  if (at.is_of_other_type()) refuse_type(out);
  return at.found;
}

void store::log(words what) {
  if (is_logging_) add_request(what, log_);
}

void add_request(words what, std::string& to) {
  answers as_list{std::move(to)};
  as_list.list(what.size());
  for (std::string_view each : what) as_list.bulk(each);
  to = std::move(as_list.bytes);
}

// ---- texts

struct store::set_options {
  bool only_new = false, only_old = false, keeps_time = false, gives_old = false;
  std::optional<unix_ms> until;
};

void store::get(words asked, answers& out) {
  auto at = look<std::string>(asked[1]);
  if (at.is_of_other_type()) return refuse_type(out);
  if (at.found == nullptr) return out.null();
  out.bulk(*at.found);
}

void store::get_any(words asked, answers& out) {
  auto at = look<std::string>(asked[1]);
  if (at.found == nullptr) return out.null();
  out.bulk(*at.found);
}

void store::set_any(words asked, answers&) {
  if (!times_.is_empty()) times_.forget(asked[1]);
  values_.set_text(asked[1], asked[2]);
  log(asked);
}

void store::set(words asked, answers& out) {
  if (asked.size() == 3) {
    set_any(asked, out);
    return out.status("OK");
  }
  set_options how;
  if (!read_options(asked, how, out)) return;
  std::string_view key = asked[1];
  auto at = look<std::string>(key);
  if (how.gives_old) {
    if (at.is_of_other_type()) return refuse_type(out);
    at.found == nullptr ? out.null() : out.bulk(*at.found);
  }
  if (at.is_something ? how.only_new : how.only_old) {
    if (!how.gives_old) out.null();
    return;
  }
  if (!how.keeps_time && !times_.is_empty()) times_.forget(key);
  values_.set_text(key, asked[2]);
  if (how.until) {
    times_.set(key, *how.until);
    log({"SET", key, asked[2], "PXAT", decimal{*how.until}.text()});
  } else if (how.keeps_time) {
    log({"SET", key, asked[2], "KEEPTTL"});
  } else {
    log({"SET", key, asked[2]});
  }
  if (!how.gives_old) out.status("OK");
}

bool store::read_options(words asked, set_options& into, answers& out) const {
  std::string_view time;
  bool is_seconds = false, is_absolute = false;
  for (std::size_t i = 3; i < asked.size(); ++i) {
    std::string_view each = asked[i];
    bool has_time = !time.empty() || into.keeps_time;
    bool takes_time = i + 1 < asked.size() && !has_time;
    if (is_word(each, "nx") && !into.only_old) {
      into.only_new = true;
    } else if (is_word(each, "xx") && !into.only_new) {
      into.only_old = true;
    } else if (is_word(each, "get")) {
      into.gives_old = true;
    } else if (is_word(each, "keepttl") && time.empty()) {
      into.keeps_time = true;
    } else if (takes_time && (is_word(each, "ex") || is_word(each, "exat") || is_word(each, "px") ||
                              is_word(each, "pxat"))) {
      is_seconds = is_word(each.substr(0, 2), "ex");
      is_absolute = each.size() == 4;
      time = asked[++i];
      if (time.empty()) time = " ";  // No number, but given.
    } else {
      out.error("ERR syntax error");
      return false;
    }
  }
  return time.empty() || read_time(time, is_seconds, is_absolute, into.until, out);
}

bool store::read_time(std::string_view text, bool is_seconds, bool is_absolute,
                      std::optional<unix_ms>& into, answers& out) const {
  std::optional<std::int64_t> time = number_of(text);
  if (!time) {
    refuse_number(out);
    return false;
  }
  unix_ms unit = is_seconds ? 1000 : 1;
  unix_ms base = is_absolute ? 0 : now_;
  if (*time <= 0 || *time > (most - base) / unit) {
    refuse_time("set", out);
    return false;
  }
  into = *time * unit + base;
  return true;
}

void store::add(words asked, std::int64_t what, answers& out) {
  auto at = look<std::string>(asked[1]);
  if (at.is_of_other_type()) return refuse_type(out);
  std::optional<std::int64_t> was = 0;
  if (at.found != nullptr) was = number_of(*at.found);
  if (!was) return refuse_number(out);
  if (what > 0 ? *was > most - what : *was < -most - 1 - what) {
    return out.error("ERR increment or decrement would overflow");
  }
  decimal now{*was + what};
  if (at.found != nullptr) {
    at.found->assign(now.text());
  } else {
    values_.set_text(asked[1], now.text());
  }
  log(asked);
  out.number(*was + what);
}

void store::append(words asked, answers& out) {
  auto at = look<std::string>(asked[1]);
  if (at.is_of_other_type()) return refuse_type(out);
  std::size_t had = at.found == nullptr ? 0 : at.found->size();
  if (had + asked[2].size() > max_text_bytes) {
    return out.error("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
  }
  if (at.found == nullptr) {
    values_.set_text(asked[1], asked[2]);
  } else {
    at.found->append(asked[2]);
  }
  log(asked);
  out.number(static_cast<std::int64_t>(had + asked[2].size()));
}

void store::length(words asked, answers& out) {
  auto at = look<std::string>(asked[1]);
  if (at.is_of_other_type()) return refuse_type(out);
  out.number(at.found == nullptr ? 0 : static_cast<std::int64_t>(at.found->size()));
}

// ---- lists, hashes and sets

void store::push(words asked, bool in_front, answers& out) {
  auto* to = look_or_make<list_value>(asked[1], out);
  if (to == nullptr) return;
  for (std::string_view each : asked.subspan(2)) {
    in_front ? (void)to->emplace_front(each) : (void)to->emplace_back(each);
  }
  log(asked);
  out.number(static_cast<std::int64_t>(to->size()));
}

void store::pop(words asked, bool in_front, answers& out) {
  bool has_count = asked.size() == 3;
  if (asked.size() > 3) return refuse_count(in_front ? "lpop" : "rpop", out);
  std::optional<std::int64_t> wanted = has_count ? number_of(asked[2]) : 1;
  if (!wanted || *wanted < 0) {
    return out.error("ERR value is out of range, must be positive");
  }
  auto at = look<list_value>(asked[1]);
  if (at.is_of_other_type()) return refuse_type(out);
  if (at.found == nullptr) return has_count ? out.null_list() : out.null();
  list_value& from = *at.found;
  std::size_t count = std::min(static_cast<std::size_t>(*wanted), from.size());
  if (has_count) out.list(count);
  for (std::size_t i = 0; i < count; ++i) {
    out.bulk(in_front ? from.front() : from.back());
    in_front ? from.pop_front() : from.pop_back();
  }
  if (from.empty()) erase(asked[1]);
  if (count > 0) log(asked);
}

void store::lrange(words asked, answers& out) {
  std::optional<std::int64_t> first = number_of(asked[2]), last = number_of(asked[3]);
  if (!first || !last) return refuse_number(out);
  auto at = look<list_value>(asked[1]);
  if (at.is_of_other_type()) return refuse_type(out);
  if (at.found == nullptr) return out.list(0);
  auto size = static_cast<std::int64_t>(at.found->size());
  std::int64_t begin = *first < 0 ? std::max<std::int64_t>(size + *first, 0) : *first;
  std::int64_t end = (*last < 0 ? size + *last : std::min(*last, size - 1)) + 1;
  if (begin >= end) return out.list(0);
  out.list(static_cast<std::size_t>(end - begin));
  auto each = at.found->begin() + begin;
  for (std::int64_t i = begin; i < end; ++i, ++each) out.bulk(*each);
}

void store::hset(words asked, answers& out) {
  if (asked.size() % 2 != 0) return refuse_count("hset", out);
  auto* to = look_or_make<hash_value>(asked[1], out);
  if (to == nullptr) return;
  std::int64_t added = 0;
  for (std::size_t i = 2; i < asked.size(); i += 2) {
    auto field = to->find(asked[i]);
    if (field == to->end()) {
      to->emplace(asked[i], asked[i + 1]);
      ++added;
    } else {
      field->second.assign(asked[i + 1]);
    }
  }
  log(asked);
  out.number(added);
}

void store::hget(words asked, answers& out) {
  auto at = look<hash_value>(asked[1]);
  if (at.is_of_other_type()) return refuse_type(out);
  if (at.found == nullptr) return out.null();
  auto field = at.found->find(asked[2]);
  field == at.found->end() ? out.null() : out.bulk(field->second);
}

void store::sadd(words asked, answers& out) {
  auto* to = look_or_make<set_value>(asked[1], out);
  if (to == nullptr) return;
  std::int64_t added = 0;
  for (std::string_view each : asked.subspan(2)) {
    if (to->find(each) != to->end()) continue;
    to->emplace(each);
    ++added;
  }
  if (added > 0) log(asked);
  out.number(added);
}

void store::smembers(words asked, answers& out) {
  auto at = look<set_value>(asked[1]);
  if (at.is_of_other_type()) return refuse_type(out);
  if (at.found == nullptr) return out.set(0);
  out.set(at.found->size());
  for (const std::string& each : *at.found) out.bulk(each);
}

}  // namespace keyval
