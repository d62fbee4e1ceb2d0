#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <troupe/actor/actor.hpp>
#include <troupe/io/framing.hpp>
#include <troupe/io/stream.hpp>
#include <troupe/sync/mpsc.hpp>

namespace troupe::inline v0_1::actors {

struct connection_options {
  std::size_t max_frame_bytes = io::line_reader::default_max_line_bytes;
  std::uint16_t max_unsent_frames = 64;             ///< At this many write() waits.
  duration idle_limit = std::chrono::minutes{5};    ///< How long no frame may come.
  duration write_limit = std::chrono::seconds{30};  ///< How long a peer may take nothing.
};

/// One peer as an actor, the base of yours: gives on_frame() what the peer sends, frame by frame,
/// and sends what write() is given. A frame is a line, unless next_frame() says otherwise.
///
/// Frames are read while the actor goes on with its mail, in turns with its handlers. The actor
/// ends with the peer, or when that is silent or takes nothing for too long: on_end() is told why.
/// However it ends, what write() has accepted is sent first, for as long as the peer takes it.
///
/// Requires: a class that has its own on_start or on_stop calls those of this one.
/// Errors:   what leaves on_frame() ends the actor, as from a handler.
/// Bounds:   one frame in, `max_unsent_frames` waiting to go out, and as many being sent.
/// Example:
///     class echo final : public actors::connection {
///     public:
///       using connection::connection;
///
///     private:
///       task<> on_frame(std::string line) override { co_await write(line + "\n"); }
///     };
class connection : public actor {
public:
  explicit connection(io::stream peer, connection_options options = {});

  void on_start();
  task<> on_stop();

protected:
  virtual ~connection() = default;

  /// Handles one frame; the next one is read when this has ended.
  virtual task<> on_frame(std::string frame) = 0;

  /// The peer has ended, or `error` says why it is given up: errc::timed_out, errc::too_long, or
  /// an error of the stream. Not called when the actor was stopped.
  virtual void on_end(boost::system::error_code error);

  /// Reads one frame; nothing at the end. Errors: as system_error.
  virtual task<std::optional<std::string>> next_frame();

  /// Sends `bytes` as they are, after all that was written before; waits while too much is unsent.
  /// Returns: false when the connection has ended, and they are dropped. Threads: the actor's.
  task<bool> write(std::string bytes);

  [[nodiscard]] io::stream& peer() noexcept { return peer_; }
  [[nodiscard]] const connection_options& options() const noexcept { return options_; }

private:
  task<> read_frames();
  task<std::optional<std::string>> read_frame();
  task<> write_frames();
  task<> write_unsent();
  void end(boost::system::error_code error);

  io::stream peer_;
  connection_options options_;
  io::line_reader lines_;
  channel_ends<std::string> frames_;
  std::string unsent_;  // Taken out of the channel; of it `sent_bytes_` were sent.
  std::size_t sent_bytes_ = 0;
  bool has_ended_ = false;
  bool is_broken_ = false;  // Nothing more can be sent.
};

}  // namespace troupe::inline v0_1::actors
