#pragma once

#include <algorithm>
#include <cstring>
#include <string>

#include <troupe/io/stream.hpp>
#include <troupe/runtime/runtime.hpp>

namespace troupe::fuzz {

/// How a peer cuts up what it sends: the sizes of pieces are made of a seed; no seed, one piece.
class cutter {
public:
  explicit cutter(std::uint32_t seed) noexcept : state_{seed} {}

  /// Returns: the size of the next piece, from 1 to `most`.
  std::size_t next(std::size_t most) noexcept {
    if (state_ == 0 || most == 0) return most;
    state_ ^= state_ << 13U;
    state_ ^= state_ >> 17U;
    state_ ^= state_ << 5U;
    // Small pieces mostly, for these are where decoders err.
    std::size_t longest = (state_ & 7U) == 0 ? most : std::min<std::size_t>(most, 4);
    return 1 + (state_ >> 8U) % longest;
  }

private:
  std::uint32_t state_;
};

/// A peer that sends `bytes` in pieces, with a pause before each, and then ends or breaks; it takes
/// what it is sent in pieces too, without a pause.
struct peer {
  std::string bytes;
  cutter cuts{0};
  bool breaks = false;
  std::string received{};
  std::size_t sent = 0;
  bool pauses = false;
  bool shut_down = false;
};

class peer_device final : public io::stream_device {
public:
  explicit peer_device(peer& of) noexcept : of_{of} {}

  io::attempt<std::size_t> try_read(std::span<std::byte> into) noexcept override {
    if (of_.pauses && !std::exchange(has_paused_, true)) return std::nullopt;
    has_paused_ = false;
    std::size_t left = of_.bytes.size() - of_.sent;
    if (left == 0) {
      if (of_.breaks) return make_error_code(boost::system::errc::connection_reset);
      return std::size_t{0};
    }
    std::size_t count = of_.cuts.next(std::min(left, into.size()));
    std::memcpy(into.data(), of_.bytes.data() + of_.sent, count);
    of_.sent += count;
    return count;
  }
  io::attempt<std::size_t> try_write(std::span<const std::byte> from) noexcept override {
    if (of_.breaks) return make_error_code(boost::system::errc::broken_pipe);
    std::size_t count = of_.cuts.next(from.size());
    of_.received.append(reinterpret_cast<const char*>(from.data()), count);
    return count;
  }
  io::attempt<void> try_shutdown() noexcept override {
    of_.shut_down = true;
    return result<void>{};
  }
  // The pause is over by the time that anybody waits.
  bool enlist_read(waker) noexcept override { return false; }
  void delist_read() noexcept override {}
  bool enlist_write(waker) noexcept override { return false; }
  void delist_write() noexcept override {}
  std::string local_address() const override { return {}; }
  std::string peer_address() const override { return {}; }
  void close() noexcept override { delete this; }

private:
  peer& of_;
  bool has_paused_ = false;
};

/// Requires: `of` outlives the stream.
inline io::stream connect(peer& of) {
  return io::stream{io::stream_device_ptr{new peer_device{of}}};
}

/// What runs coroutines on the fuzzer's own thread: no other takes part, so that every input runs
/// in the same way each time.
inline runtime& inline_runtime() {
  static runtime instance{[] {
    runtime_config config;
    config.workers = 1;
    config.caller_driven = true;
    config.network = false;
    return config;
  }()};
  return instance;
}

}  // namespace troupe::fuzz
