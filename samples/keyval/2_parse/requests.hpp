#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace keyval {

/// How large a request may be.
struct request_limits {
  std::size_t max_word_bytes = std::size_t{512} * 1024 * 1024;
  std::size_t max_words = std::size_t{1024} * 1024;
  std::size_t max_line_bytes = std::size_t{64} * 1024;  ///< Of a number, or a line typed by hand.
};

/// The command and its arguments.
using words = std::span<const std::string_view>;

/// Cuts what a peer sends into requests: lists of strings in RESP, or lines typed by hand.
///
/// Bounds: memory grows with the bytes that have come, never with a length that was announced; an
///         idle peer keeps what its largest read took, from 2 to 64 KiB.
/// Example:
///     requests asked;
///     asked.took(co_await peer.read_some(asked.room()));
///     while (asked.next() == requests::found::request) answer(asked.request());
class requests {
public:
  enum class found : unsigned char {
    request,
    nothing,  ///< More bytes are needed.
    garbage,  ///< Now and for ever; see complaint().
  };

  explicit requests(request_limits limits = {}) noexcept : limits_{limits} {}

  /// Returns: where the next bytes are to go. What request() gave before is gone.
  [[nodiscard]] std::span<char> room();
  void took(std::size_t bytes) noexcept;

  /// Looks for the next request in what has come.
  found next();
  /// Returns: the last one found; views of bytes().
  [[nodiscard]] words request() const noexcept { return words_; }
  /// What the words lie in, for who needs them for longer than this object lives.
  [[nodiscard]] const std::shared_ptr<char[]>& bytes() const noexcept { return bytes_; }
  /// Returns: what is wrong, as an error of Redis.
  [[nodiscard]] const std::string& complaint() const noexcept { return complaint_; }

private:
  [[nodiscard]] std::string_view unread() const noexcept {
    return {bytes_.get() + at_, end_ - at_};
  }
  found complain(std::string what);
  found next_of_list();
  found next_line();
  found begin_list();
  found begin_word();
  found take_line(std::string_view& line, char type, std::string_view name);
  bool split(char* line, char* end);
  void move_to(std::shared_ptr<char[]> place) noexcept;

  request_limits limits_;
  std::shared_ptr<char[]> bytes_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;  // Of the request that is being read.
  std::size_t at_ = 0;     // What lies before was looked at.
  std::size_t end_ = 0;    // Of what has come.
  std::size_t wish_ = 0;   // How much room the next read gets.
  std::vector<std::string_view> words_;
  std::size_t words_left_ = 0;    // Of the list that is being read.
  std::int64_t word_bytes_ = -1;  // Of the word that is being read, where they are known.
  bool is_done_ = false;          // words_ is whole.
  std::string complaint_;
};

}  // namespace keyval
