#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/endian/conversion.hpp>

#include <troupe/node/detail/wire_read.hpp>
#include <troupe/node/detail/wire_write.hpp>

// What two nodes say to each other. Who has connected asks for actors of who has accepted; for the
// other way there is another link.
//
//   connected                           accepted
//   hello                               hello, or refusal
//   lookup (name, what it handles)      found, or missing
//   tell, ask (a message)               credit (what has left the link), answer, failure
//   withdraw (an ask)
//   end (stop or kill the actor)        ended (the actor has, or is started anew)
//   drop (the actor is of no use)
//   ping                                ping
//   bye                                 bye
//
// On the stream each frame has its size before it, 32 bits, the highest byte first; then one byte
// for its kind, then its fields as wire.hpp has them. The content of a message comes last, to the
// end of the frame.

namespace troupe::inline v0_1::detail {

inline constexpr std::uint64_t node_magic = 0x65646f6e70747274;  // "trtpnode"
inline constexpr std::uint16_t node_protocol = 1;

enum class frame_kind : std::uint8_t {
  hello = 1,
  refusal,
  lookup,
  found,
  missing,
  tell,
  ask,
  withdraw,
  credit,
  answer,
  failure,
  end,
  ended,
  drop,
  ping,
  bye,
};

/// One message of a protocol as the two nodes have to agree on it.
struct item_spec {
  std::string message;  ///< The name of its type.
  std::string layout;
  std::string answer;  ///< The layout of the answer; `-` where there is none.
};

struct hello_frame {
  static constexpr frame_kind kind = frame_kind::hello;
  std::uint64_t magic = node_magic;
  std::uint16_t version = node_protocol;
  std::uint64_t id_high = 0;
  std::uint64_t id_low = 0;
  std::string name;
};
struct refusal_frame {
  static constexpr frame_kind kind = frame_kind::refusal;
  std::string words;
};
struct lookup_frame {
  static constexpr frame_kind kind = frame_kind::lookup;
  std::uint64_t lookup = 0;
  std::uint32_t session = 0;  ///< What the actor is called on this link from now on.
  std::string name;
  std::vector<item_spec> items;
};
struct found_frame {
  static constexpr frame_kind kind = frame_kind::found;
  std::uint64_t lookup = 0;
  std::uint64_t window_bytes = 0;
};
struct missing_frame {
  static constexpr frame_kind kind = frame_kind::missing;
  std::uint64_t lookup = 0;
  std::uint16_t error = 0;  ///< An ask_errc.
  std::string words;
};
struct tell_frame {
  static constexpr frame_kind kind = frame_kind::tell;
  std::uint32_t session = 0;
  std::uint16_t item = 0;  ///< Of those of the lookup.
};
struct ask_frame {
  static constexpr frame_kind kind = frame_kind::ask;
  std::uint32_t session = 0;
  std::uint16_t item = 0;
  std::uint64_t request = 0;
  std::int64_t left_ns = 0;  ///< Until its deadline; negative: it has none.
};
struct withdraw_frame {
  static constexpr frame_kind kind = frame_kind::withdraw;
  std::uint64_t request = 0;
};
struct credit_frame {
  static constexpr frame_kind kind = frame_kind::credit;
  std::uint32_t session = 0;
  std::uint64_t size_bytes = 0;
};
struct answer_frame {
  static constexpr frame_kind kind = frame_kind::answer;
  std::uint64_t request = 0;
};
struct failure_frame {
  static constexpr frame_kind kind = frame_kind::failure;
  std::uint64_t request = 0;
  std::uint16_t error = 0;
  std::string words;
};
struct end_frame {
  static constexpr frame_kind kind = frame_kind::end;
  std::uint32_t session = 0;
  bool kills = false;
};
struct ended_frame {
  static constexpr frame_kind kind = frame_kind::ended;
  std::uint32_t session = 0;
  std::uint8_t how = 0;  ///< An exit_kind.
  bool restarts = false;
  std::string words;
};
struct drop_frame {
  static constexpr frame_kind kind = frame_kind::drop;
  std::uint32_t session = 0;
};
struct ping_frame {
  static constexpr frame_kind kind = frame_kind::ping;
};
struct bye_frame {
  static constexpr frame_kind kind = frame_kind::bye;
  std::string words;
};

/// What stands before each frame: its size.
inline constexpr std::size_t prefix_bytes = 4;
[[nodiscard]] inline std::size_t load_prefix(
    const std::array<std::byte, prefix_bytes>& prefix) noexcept {
  return boost::endian::load_big_u32(reinterpret_cast<const unsigned char*>(prefix.data()));
}

/// What a message costs of a window.
[[nodiscard]] constexpr std::size_t cost_bytes(std::size_t payload_bytes) noexcept {
  return payload_bytes + 64;
}

/// Puts a frame behind others that wait to go out.
template <class Frame>
void append_frame(std::string& out, const Frame& frame, std::string_view payload = {}) {
  wire_writer fields;
  fields.put(static_cast<std::uint8_t>(Frame::kind));
  write_value(fields, frame);
  const std::string bytes = fields.take();
  std::array<unsigned char, prefix_bytes> prefix{};
  boost::endian::store_big_u32(prefix.data(),
                               static_cast<std::uint32_t>(bytes.size() + payload.size()));
  out.append(reinterpret_cast<const char*>(prefix.data()), prefix_bytes);
  out += bytes;
  out += payload;
}

/// A frame that has come, without its size.
class frame_bytes {
public:
  explicit frame_bytes(std::string bytes) noexcept : bytes_{std::move(bytes)} {}

  /// Returns: zero for one that is empty.
  [[nodiscard]] frame_kind kind() const noexcept {
    return bytes_.empty() ? frame_kind{} : static_cast<frame_kind>(bytes_.front());
  }
  /// Reads its fields. Returns: false when they are not there.
  template <class Frame>
  [[nodiscard]] bool read(Frame& frame) {
    if (kind() != Frame::kind) return false;
    wire_reader from{std::string_view{bytes_}.substr(1)};
    if (!read_value(from, frame)) return false;
    payload_bytes_ = from.left_bytes();
    return true;
  }
  /// Returns: what came behind the fields. Requires: they were read.
  [[nodiscard]] std::string_view payload() const noexcept {
    return std::string_view{bytes_}.substr(bytes_.size() - payload_bytes_);
  }

private:
  std::string bytes_;
  std::size_t payload_bytes_ = 0;
};

}  // namespace troupe::inline v0_1::detail
