#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace keyval {

/// What a peer has asked for by HELLO: RESP3 has types for what RESP2 says by lists.
enum class protocol : unsigned char { resp2 = 2, resp3 = 3 };

/// Answers as they are sent, one after the other.
class answers {
public:
  std::string bytes;
  protocol speaks = protocol::resp2;

  void status(std::string_view text) { line('+', text); }
  /// `text` begins with its kind, such as ERR. A line end in it is sent as a space.
  void error(std::string_view text) {
    std::size_t begin = bytes.size() + 1;
    line('-', text);
    for (std::size_t i = begin; i < bytes.size() - 2; ++i) {
      if (bytes[i] == '\r' || bytes[i] == '\n') bytes[i] = ' ';
    }
  }
  void number(std::int64_t value) { counted(':', value); }
  void bulk(std::string_view text) {
    counted('$', static_cast<std::int64_t>(text.size()));
    bytes += text;
    bytes += "\r\n";
  }
  /// No value.
  void null() { bytes += speaks == protocol::resp3 ? "_\r\n" : "$-1\r\n"; }
  /// No list.
  void null_list() { bytes += speaks == protocol::resp3 ? "_\r\n" : "*-1\r\n"; }
  /// So many answers follow, which belong together.
  void list(std::size_t size) { counted('*', static_cast<std::int64_t>(size)); }
  void set(std::size_t size) { counted(for_resp3('~'), static_cast<std::int64_t>(size)); }
  /// So many pairs of answers follow.
  void map(std::size_t size) {
    bool has_maps = speaks == protocol::resp3;
    counted(for_resp3('%'), static_cast<std::int64_t>(has_maps ? size : 2 * size));
  }
  /// A list that answers nothing: a message comes by itself.
  void push(std::size_t size) { counted(for_resp3('>'), static_cast<std::int64_t>(size)); }

private:
  [[nodiscard]] char for_resp3(char type) const noexcept {
    return speaks == protocol::resp3 ? type : '*';
  }
  void line(char type, std::string_view text) {
    bytes += type;
    bytes += text;
    bytes += "\r\n";
  }
  void counted(char type, std::int64_t value) {
    char text[24];
    text[0] = type;
    char* end = std::to_chars(text + 1, text + sizeof text - 2, value).ptr;
    *end++ = '\r';
    *end++ = '\n';
    bytes.append(text, end);
  }
};

}  // namespace keyval
