#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include <troupe/actor/actor.hpp>
#include <troupe/io/listener.hpp>

namespace troupe::inline v0_1::actors {

/// Any actor, whatever its class: it can be watched, stopped and awaited.
using any_actor = protocol<>;

struct listener_options {
  /// Connections open at once. At the limit the next one waits, unaccepted, until one has ended.
  std::size_t max_connections = SIZE_MAX;
  /// Told of each accept that failed; without it that is a line of level warning in the log.
  std::function<void(boost::system::error_code)> on_error{};
};

/// Accepts connections, each for an actor of its own that `make` starts.
///
/// A connection that fails, or cannot be made, leaves the listener and the others alone. The
/// listener lives until it is stopped, also without a ref to it. Stopped, it takes in no more, asks
/// its connections to stop, and ends when all have. When the runtime stops it only takes in no
/// more, and ends after the last connection.
///
/// Requires: `make` does not wait. A connection under a supervisor is a temporary or transient
///           child: a permanent one would come back when it is asked to stop.
/// Errors:   a failed accept, such as EMFILE, is reported, and accepting goes on after a pause of
///           1 to 100 ms; what `make` throws is a line in the log, and its peer is closed.
/// Bounds:   per connection a monitor, a weak ref and a node of a map.
/// Example:
///     class hello : public actor {
///     public:
///       explicit hello(io::stream peer) : peer_{std::move(peer)} {}
///       task<> on_start() { co_await peer_.write_all("hello world"); }
///
///     private:
///       io::stream peer_;
///     };
///     auto make = [](io::stream peer) { return spawn<hello>(std::move(peer)); };
///     auto open = spawn<actors::listener>(net::tcp_listen("127.0.0.1", 7000), make);
class listener final : public actor {
public:
  using make_connection = std::function<ref<any_actor>(io::stream)>;

  listener(io::listener source, make_connection make, listener_options options = {});
  /// For a listener under a supervisor: a new incarnation goes on with the same port, which is
  /// closed when nobody holds it any more.
  listener(std::shared_ptr<io::listener> source, make_connection make,
           listener_options options = {});

  /// Asks how many connections are open.
  struct count_open {
    using reply = std::size_t;
  };
  [[nodiscard]] std::size_t on(count_open) const noexcept { return open_.size(); }

  void on_start();
  void on(const down& ended);
  task<> on_stop();

private:
  void begin_accepting();
  task<> accept();
  void take_on(io::stream peer);
  void report(boost::system::error_code error) const;

  std::shared_ptr<io::listener> source_;  // None when it takes in no more.
  make_connection make_;
  listener_options options_;
  std::optional<ref<listener>> alive_;  // Until it is stopped.
  std::map<actor_id, weak_ref<any_actor>> open_;
  bool is_accepting_ = false;
};

}  // namespace troupe::inline v0_1::actors
