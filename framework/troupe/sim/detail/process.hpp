#pragma once

#include <memory>
#include <utility>

#include <troupe/base/intrusive_list.hpp>
#include <troupe/sim/detail/fabric.hpp>
#include <troupe/task/waker.hpp>

namespace troupe::inline v0_1::sim::detail {

class datagram_port;
class listening;

/// How a program goes that is killed.
enum class death : unsigned char {
  closes,   ///< Its kernel closes what it had open, as after SIGKILL.
  is_mute,  ///< Nobody tells its peers anything, as after a power cut.
};

/// A program of a machine, as the network sees it: the owner of sockets.
///
/// Its sockets share it, and may outlive its runtime. Wakes go to its scheduler as from a foreign
/// thread: that stirs them into what the seed chooses from before its very next turn, where the
/// driver would be asked only when nothing else is ready.
class process {
public:
  process(std::shared_ptr<fabric> of, machine& where) : net_{std::move(of)}, where_{where} {}
  process(const process&) = delete;
  process& operator=(const process&) = delete;

  [[nodiscard]] fabric& net() const noexcept { return *net_; }
  [[nodiscard]] machine& where() const noexcept { return where_; }

  /// Returns: false after its death, and after the world's: its sockets do nothing then.
  [[nodiscard]] bool is_alive() const noexcept { return is_alive_ && !net_->has_ended(); }
  [[nodiscard]] bool takes_in() const noexcept { return takes_in_; }

  /// Wakes a task of it, if there is one.
  void ring(waker& key) const noexcept {
    waker waiting = std::exchange(key, waker{});
    if (waiting && is_alive_) waiting.wake();
  }

  /// No connections are accepted from now on.
  void stop_intake() noexcept;
  void die(death how);

  intrusive_list<listening> listeners;
  intrusive_list<datagram_port> datagrams;

private:
  std::shared_ptr<fabric> net_;
  machine& where_;
  bool is_alive_ = true;
  bool takes_in_ = true;
};

}  // namespace troupe::inline v0_1::sim::detail
