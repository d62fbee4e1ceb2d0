#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "part.hpp"

namespace keyval {

/// The requests that came with one read: what each shard has to do of them, and how the answers
/// become one text, in the order of the requests.
///
/// Example:
///     requests_of_peer.add(*find_command("GET"), asked);
///     for (part_ptr& each : requests_of_peer.parts()) each = co_await ask_its_shard(...);
///     requests_of_peer.take_answers(out);
class batch {
public:
  explicit batch(std::size_t shards);

  /// Adds a request for shards. `bytes` is what its words lie in.
  void add(const command& what, words asked, const std::shared_ptr<char[]>& bytes);
  /// Returns: where one answer goes that is known already.
  answers& add_known(protocol speaks);

  [[nodiscard]] bool is_empty() const noexcept { return slots_.empty(); }
  /// Returns: the parts of all shards; those without a call have nothing to do.
  [[nodiscard]] std::span<part_ptr> parts() noexcept { return parts_; }

  /// Adds the answers to `out`, and begins anew. Requires: all calls of all parts are answered.
  void take_answers(answers& out);

private:
  struct slot {  // One request.
    joined how;
    bool is_known;
    std::uint32_t calls;  // So many of `order_`.
  };

  void add_call(std::size_t shard, const command& what, words asked,
                const std::shared_ptr<char[]>& bytes);
  std::string_view next_answer();
  std::string_view next_known();
  void join(const slot& of, answers& out);
  void join_lists(std::size_t count, answers& out);
  void clear();

  std::vector<part_ptr> parts_;
  std::vector<std::size_t> taken_;  // Of the answers of each part.
  std::vector<slot> slots_;
  std::vector<std::uint16_t> order_;  // The shard of each call.
  std::size_t order_taken_ = 0;
  answers known_;
  std::vector<std::size_t> known_begins_;
  std::size_t known_taken_ = 0;
  bool is_one_to_one_ = true;  // Each answer is that of one call, and all are of one part.
};

}  // namespace keyval
