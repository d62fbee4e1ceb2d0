#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>

#include <troupe/base/intrusive_list.hpp>
#include <troupe/io/stream_device.hpp>
#include <troupe/sim/detail/process.hpp>

namespace troupe::inline v0_1::sim::detail {

/// What one end of a connection sends to the other.
struct packet {
  enum class kind : unsigned char { call, answer, bytes, end, reset, room };

  kind what = kind::bytes;
  std::string bytes;
  std::size_t count = 0;  ///< Of bytes that were read; of a call, how often it was tried before.
  std::uint64_t number = 0;
  time_point arrival{};
};

/// A connection of two programs, in which bytes take their time, and their order stays.
///
/// Each end has the packets on their way to the other, those received, and how it stands. A packet
/// that finds its wire cut stays, and so do those behind it, until the wire is whole again or the
/// sender has lost its patience.
///
/// As in a kernel: bytes that have come can be read after a reset too; its error is told once, then
/// reads say the end and writes EPIPE; who closes with bytes unread resets the connection.
/// Threads: the world's alone.
class connection final : public list_link, public std::enable_shared_from_this<connection> {
public:
  enum class phase : unsigned char { calling, open, closed };

  struct end {
    std::shared_ptr<process> owner;  ///< Null at the end that is called, until it answers.
    machine* at = nullptr;
    io::endpoint address;
    std::string local_text, peer_text;
    phase stands = phase::calling;
    bool is_broken = false;
    bool has_said_end = false;
    bool has_heard_end = false;
    bool is_mute = false;  ///< Closed, and not by a kernel: what was lost is not sent again.
    boost::system::error_code error;  ///< Not told yet.

    std::deque<packet> on_their_way;
    time_point last_arrival{};
    std::uint64_t last_number = 0;
    std::size_t unconfirmed_bytes = 0;  ///< Sent, and not known to be read.
    bool loses_patience = false;        ///< An entry of the agenda looks after the first packet.

    std::string received;
    std::size_t taken_bytes = 0;  ///< Of `received`.
    std::size_t freed_bytes = 0;  ///< Read, and the sender does not know it.
    bool room_is_told = false;    ///< It is on its way.

    waker reader, writer;
  };

  /// Begins a connection from `caller` to what listens at `to` on `called`.
  static std::shared_ptr<connection> call(std::shared_ptr<process> caller, machine& called,
                                          const io::endpoint& from, const io::endpoint& to);
  /// Makes one that stands, between two programs of one machine.
  static std::shared_ptr<connection> join(std::shared_ptr<process> caller,
                                          std::shared_ptr<process> called);

  explicit connection(fabric& net);
  ~connection();
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  // What the device of end `side` does.
  [[nodiscard]] io::attempt<std::size_t> read(std::size_t side, std::span<std::byte> into);
  [[nodiscard]] io::attempt<std::size_t> write(std::size_t side, std::span<const std::byte> from);
  [[nodiscard]] io::attempt<void> shut_down(std::size_t side);
  [[nodiscard]] io::attempt<void> finish_call(std::size_t side);
  [[nodiscard]] bool enlist_read(std::size_t side, waker key) noexcept;
  [[nodiscard]] bool enlist_write(std::size_t side, waker key) noexcept;
  void close(std::size_t side);

  /// Ends the end that was called and that nobody has accepted.
  void refuse();
  /// Breaks it off, at both ends at once.
  void reset();
  /// Ends `side` without a word.
  void fall_silent(std::size_t side);
  /// To be called when a wire has become whole: what has waited for it is sent again.
  void send_again();

  [[nodiscard]] end& at(std::size_t side) noexcept { return ends_[side]; }
  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }
  /// Returns: whether both ends are open and unbroken.
  [[nodiscard]] bool stands() const noexcept;

private:
  void send(std::size_t side, packet sent);
  void send_bytes(std::size_t side, std::span<const std::byte> from);
  void deliver_due(std::size_t side);
  void deliver(std::size_t side, packet& come);
  void be_called(packet& come);
  void be_answered();
  void take_bytes(std::size_t side, packet& come);
  void break_off(end& broken, boost::system::error_code why);
  void tell_room(std::size_t side);
  void begin_losing_patience(std::size_t side);
  [[nodiscard]] boost::system::error_code take_error(end& of) noexcept;
  [[nodiscard]] std::size_t room(const end& of) const noexcept;
  void note(std::string_view text) const;

  fabric& net_;
  std::uint64_t number_;
  io::endpoint called_at_;
  std::array<end, 2> ends_;  // The caller's, and that of who was called.
};

}  // namespace troupe::inline v0_1::sim::detail
