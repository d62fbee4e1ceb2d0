#include "acceptor.hpp"

#include <string>
#include <utility>

#include <fmt/core.h>

#include <troupe/task/spawn.hpp>

#include "connection.hpp"

namespace service {

namespace {

troupe::task<> serve_connection(troupe::io::stream peer, connection_id id, seat at,
                                colleagues with) {
  connection served{std::move(peer), id, std::move(at), std::move(with)};
  co_await served.serve();
}

// A fresh socket has room for a line: this does not wait.
troupe::task<> refuse(troupe::io::stream peer, const site& at) {
  std::string reason =
      fmt::format("too many connections: the limit is {}", at.wanted.max_connections);
  std::string last = fmt::format("error: {}: closed\n", reason);
  auto written = co_await peer.write_some(last).as_result();
  if (written) co_await peer.shutdown().as_result();
}

}  // namespace

troupe::task<> accept_connections(troupe::io::listener listener, std::shared_ptr<site> at,
                                  colleagues with) {
  for (connection_id id = 1;;) {
    auto accepted = co_await listener.accept().as_result();
    std::size_t open_count = at->open_connections.load();
    if (!accepted) {
      at->heard.say(trouble::accept, fmt::format("cannot accept a connection: {}; {} are open",
                                                 accepted.error().message(), open_count));
    } else if (open_count >= at->wanted.max_connections) {
      at->heard.say(trouble::limit, fmt::format("{}: too many connections: the limit is {}: closed",
                                                accepted->peer_address(), open_count));
      co_await refuse(std::move(*accepted), *at);
    } else {
      troupe::spawn(serve_connection, std::move(*accepted), id++, seat{at}, with);
    }
  }
}

}  // namespace service
