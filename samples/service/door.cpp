#include "door.hpp"

#include <string>
#include <utility>

#include <fmt/core.h>

#include "connection.hpp"

namespace service {

namespace {

using troupe::actors::any_actor;
using troupe::actors::listener;

// Tells a peer that there is no place for it.
class refusal final : public troupe::actor {
public:
  refusal(troupe::io::stream peer, std::string line)
      : peer_{std::move(peer)}, line_{std::move(line)} {}

  // A fresh socket has room for a line: this does not wait.
  troupe::task<> on_start() {
    auto written = co_await peer_.write_some(line_).as_result();
    if (written) co_await peer_.shutdown().as_result();
  }

private:
  troupe::io::stream peer_;
  std::string line_;
};

// Makes the actors of connections.
struct maker {
  std::shared_ptr<site> at;
  colleagues with;
  std::optional<troupe::ref<chaos>> enemy;
  gate through;

  troupe::ref<any_actor> operator()(troupe::io::stream peer) const {
    if (at->open_connections() >= at->wanted.max_connections) return refuse(std::move(peer));
    auto made = troupe::spawn<connection>(std::move(peer), ++at->last_id, seat{at}, with, through);
    if (enemy) (void)enemy->try_send(victim{kind::a_connection, made});
    return made;
  }

  [[nodiscard]] troupe::ref<any_actor> refuse(troupe::io::stream peer) const {
    std::string reason =
        fmt::format("too many connections: the limit is {}", at->wanted.max_connections);
    at->heard.say(trouble::limit, fmt::format("{}: {}: closed", peer.peer_address(), reason));
    // Behind a gate it would have to be let in first: it is closed without a word.
    std::string line = through ? std::string{} : fmt::format("error: {}: closed\n", reason);
    return troupe::spawn<refusal>(std::move(peer), std::move(line));
  }
};

}  // namespace

troupe::ref<listener> open_door(const troupe::ref<troupe::supervisor>& root,
                                troupe::io::listener source, std::shared_ptr<site> at,
                                colleagues with, std::optional<troupe::ref<chaos>> enemy,
                                gate through) {
  troupe::actors::listener_options how;
  how.on_error = [at](boost::system::error_code error) {
    at->heard.say(trouble::accept, fmt::format("cannot accept a connection: {}; {} are open",
                                               error.message(), at->open_connections()));
  };
  // Transient: it ends for good when the service stops taking in.
  troupe::child_options child{{.name = through ? "TLS listener" : "listener"},
                              troupe::child_kind::transient};
  listener::make_connection make =
      maker{std::move(at), std::move(with), std::move(enemy), std::move(through)};
  return troupe::spawn_child<listener>(
      root, std::move(child), std::make_shared<troupe::io::listener>(std::move(source)), make, how);
}

}  // namespace service
