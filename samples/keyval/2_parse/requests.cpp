#include "requests.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "numbers.hpp"

namespace keyval {

namespace {

constexpr std::size_t least_room = 2 * 1024;
constexpr std::size_t most_room = 64 * 1024;

bool is_space(char each) {
  return each == ' ' || each == '\t' || each == '\v' || each == '\f' || each == '\0' ||
         each == '\r' || each == '\n';
}

int digit_of(char each) {
  if (each >= '0' && each <= '9') return each - '0';
  if (each >= 'a' && each <= 'f') return each - 'a' + 10;
  if (each >= 'A' && each <= 'F') return each - 'A' + 10;
  return -1;
}

// Takes what follows a backslash between double quotes. Returns: what it stands for.
char take_escaped(char*& at, const char* end) {
  if (end - at >= 3 && *at == 'x' && digit_of(at[1]) >= 0 && digit_of(at[2]) >= 0) {
    int code = digit_of(at[1]) * 16 + digit_of(at[2]);
    at += 3;
    return static_cast<char>(code);
  }
  constexpr std::string_view letters = "nrtba", meanings = "\n\r\t\b\a";
  char letter = *at++;
  std::size_t place = letters.find(letter);
  return place == std::string_view::npos ? letter : meanings[place];
}

// Takes a quoted text up to its end, and puts what it means from `to` on. Returns: false when it
// does not end, or something follows at once.
bool take_quoted(char*& at, const char* end, char*& to) {
  char quote = *at++;
  for (;;) {
    if (at == end) return false;
    char each = *at++;
    if (each == quote) return at == end || is_space(*at);
    bool escapes = each == '\\' && at != end;
    if (escapes && quote == '"') {
      each = take_escaped(at, end);
    } else if (escapes && *at == '\'') {
      each = *at++;
    }
    *to++ = each;
  }
}

}  // namespace

std::span<char> requests::room() {
  if (is_done_ || begin_ == end_) {
    words_.clear();
    is_done_ = false;
    if (begin_ == end_) begin_ = at_ = end_ = 0;
  }
  std::size_t wanted = std::clamp(wish_, least_room, most_room);
  bool is_far_too_large = begin_ == end_ && capacity_ > 2 * most_room;
  if (is_far_too_large || capacity_ - end_ < wanted) {
    std::size_t held = end_ - begin_;
    bool has_room = !is_far_too_large && capacity_ >= held + wanted && begin_ >= held;
    if (has_room) {
      move_to(bytes_);
    } else {
      capacity_ = std::max(held + wanted, 2 * held);
      move_to(std::make_shared_for_overwrite<char[]>(capacity_));
    }
  }
  return {bytes_.get() + end_, capacity_ - end_};
}

void requests::move_to(std::shared_ptr<char[]> place) noexcept {
  char* from = bytes_.get() + begin_;
  if (end_ > begin_) std::memcpy(place.get(), from, end_ - begin_);
  for (auto& each : words_) {
    each = std::string_view{place.get() + (each.data() - from), each.size()};
  }
  bytes_ = std::move(place);
  at_ -= begin_;
  end_ -= begin_;
  begin_ = 0;
}

void requests::took(std::size_t bytes) noexcept {
  wish_ = bytes == capacity_ - end_ ? 2 * std::max(bytes, wish_) : wish_;
  end_ += bytes;
}

requests::found requests::next() {
  if (!complaint_.empty()) return found::garbage;
  if (std::exchange(is_done_, false)) words_.clear();
  for (;;) {
    if (words_left_ > 0) return next_of_list();
    begin_ = at_ = std::max(begin_, at_);
    if (at_ == end_) return found::nothing;
    if (bytes_.get()[at_] != '*') {
      found line = next_line();
      if (line != found::request || !words_.empty()) return line;
    } else if (found begun = begin_list(); begun != found::request) {
      return begun;
    }
  }
}

requests::found requests::complain(std::string what) {
  complaint_ = "ERR Protocol error: " + std::move(what);
  return found::garbage;
}

// Takes a line that begins with `type` and ends with "\r\n"; `name` is for a line that is too long.
requests::found requests::take_line(std::string_view& line, char type, std::string_view name) {
  std::string_view rest = unread();
  std::size_t length = rest.find('\r');
  if (std::min(length, rest.size()) > limits_.max_line_bytes) {
    return complain("too big " + std::string{name} + " string");
  }
  if (length == std::string_view::npos || rest.size() < length + 2) return found::nothing;
  if (rest.front() != type) {
    return complain(std::string{"expected '"} + type + "', got '" + rest.front() + "'");
  }
  line = rest.substr(1, length - 1);
  at_ += length + 2;
  return found::request;
}

requests::found requests::begin_list() {
  std::string_view line;
  if (found taken = take_line(line, '*', "mbulk count"); taken != found::request) return taken;
  std::optional<std::int64_t> size = number_of(line);
  if (!size || *size > static_cast<std::int64_t>(limits_.max_words)) {
    return complain("invalid multibulk length");
  }
  if (*size > 0) words_left_ = static_cast<std::size_t>(*size);
  return found::request;  // An empty one asks for nothing.
}

requests::found requests::begin_word() {
  std::string_view line;
  found taken = take_line(line, '$', "bulk count");
  if (taken != found::request) return taken;
  std::optional<std::int64_t> size = number_of(line);
  if (!size || *size < 0 || *size > static_cast<std::int64_t>(limits_.max_word_bytes)) {
    return complain("invalid bulk length");
  }
  word_bytes_ = *size;
  return found::request;
}

requests::found requests::next_of_list() {
  while (words_left_ > 0) {
    if (word_bytes_ < 0) {
      if (found begun = begin_word(); begun != found::request) return begun;
    }
    auto size = static_cast<std::size_t>(word_bytes_);
    std::string_view rest = unread();
    if (rest.size() < size + 2) return found::nothing;  // Behind it stands a line end.
    words_.push_back(rest.substr(0, size));
    at_ += size + 2;
    word_bytes_ = -1;
    --words_left_;
  }
  begin_ = at_;
  is_done_ = true;
  return found::request;
}

requests::found requests::next_line() {
  std::string_view rest = unread();
  std::size_t length = rest.find('\n');
  if (std::min(length, rest.size()) > limits_.max_line_bytes) {
    return complain("too big inline request");
  }
  if (length == std::string_view::npos) return found::nothing;
  char* line = bytes_.get() + at_;
  char* end = line + length;
  if (end != line && end[-1] == '\r') --end;
  at_ += length + 1;
  begin_ = at_;
  if (!split(line, end)) return complain("unbalanced quotes in request");
  is_done_ = !words_.empty();
  return found::request;
}

// Cuts a line at its spaces, and takes quotes off in place: a word is never longer than its text.
bool requests::split(char* line, char* end) {
  for (char* at = line;;) {
    while (at != end && is_space(*at)) ++at;
    if (at == end) return true;
    char* word = at;
    char* to = at;
    while (at != end && !is_space(*at)) {
      if (*at == '"' || *at == '\'') {
        if (!take_quoted(at, end, to)) return false;
      } else {
        *to++ = *at++;
      }
    }
    words_.emplace_back(word, static_cast<std::size_t>(to - word));
  }
}

}  // namespace keyval
