// A CAF actor owns a connection and measures its round-trip time for all who ask for it.

#include <chrono>
#include <memory>
#include <string_view>
#include <utility>

#include <fmt/chrono.h>
#include <caf/all.hpp>
#include <caf/io/all.hpp>

#include <troupe/caf/system.hpp>
#include <troupe/runtime/run.hpp>

#include "../options.hpp"

namespace {

using caf::io::connection_handle;
using caf::io::receive_policy;

void write_line(caf::io::broker* self, connection_handle socket, std::string_view line) {
  self->write(socket, line.size(), line.data());
  self->flush(socket);
}

struct ping_under_way {
  caf::typed_response_promise<caf::pong_atom> pong;
};

// Sends a ping for each request, and answers with the pong.
caf::behavior transport(caf::io::stateful_broker<ping_under_way>* self, connection_handle socket) {
  self->configure_read(socket, receive_policy::exactly(5));
  return {
      [=](caf::ping_atom) -> caf::result<caf::pong_atom> {
        if (!self->valid(socket)) return caf::sec::socket_disconnected;
        write_line(self, socket, "ping\n");
        return self->state.pong = self->make_response_promise<caf::pong_atom>();
      },
      [=](const caf::io::new_data_msg&) { self->state.pong.deliver(caf::pong_atom_v); },
      [=](const caf::io::connection_closed_msg&) {
        self->state.pong.deliver(caf::sec::socket_disconnected);
      },
  };
}

// The other end of the transport: answers at most `pongs` pings, then closes the connection.
caf::behavior peer(caf::io::broker* self, caf::io::doorman_ptr door, int pongs) {
  self->add_doorman(std::move(door));
  return {
      [=](const caf::io::new_connection_msg& accepted) {
        if (pongs == 0) return self->quit();
        self->configure_read(accepted.handle, receive_policy::exactly(5));
      },
      [=](const caf::io::new_data_msg& ping) mutable {
        write_line(self, ping.handle, "pong\n");
        if (--pongs == 0) self->quit();
      },
      [=](const caf::io::connection_closed_msg&) { self->quit(); },
  };
}

caf::behavior coordinator(caf::event_based_actor* self, const caf::actor& transport) {
  self->link_to(transport);  // It ends with the coordinator.
  return {[=](caf::ping_atom) {
    auto rtt = self->make_response_promise<caf::timespan>();
    auto start = self->clock().now();
    // One ping at a time: the next request waits in the mailbox.
    self->request(transport, caf::infinite, caf::ping_atom_v)
        .await(
            [=](caf::pong_atom) mutable {
              rtt.deliver(caf::timespan{self->clock().now() - start});  // If it is gone: no matter.
            },
            [=](caf::error& error) mutable {
              fmt::print("transport error = {}\n", self->system().render(error));
              rtt.deliver(std::move(error));
            });
    return rtt;
  }};
}

void print_rtt(caf::event_based_actor* self, const caf::actor& line) {
  self->request(line, caf::infinite, caf::ping_atom_v)
      .then(
          [](caf::timespan rtt) {
            fmt::print("duration = {:.1}\n", std::chrono::duration<double, std::micro>{rtt});
          },
          [=](const caf::error& error) {
            fmt::print("error = {}\n", self->system().render(error));
          });
}

// Asks, and does not wait for the answer.
void ask_and_leave(caf::event_based_actor* self, const caf::actor& line) {
  self->send(line, caf::ping_atom_v);
}

void start(caf::actor_system& system, int pongs, bool one_leaves) {
  caf::io::middleman& network = system.middleman();
  auto door = *network.backend().new_tcp_doorman(0, "127.0.0.1");
  auto port = door->port();
  network.spawn_broker(peer, std::move(door), pongs);
  auto socket = *network.spawn_client(transport, "127.0.0.1", port);

  auto line = system.spawn(coordinator, socket);
  if (one_leaves) system.spawn(ask_and_leave, line);
  for (int i = 0; i < 4; ++i) system.spawn(print_rtt, line);
}  // The coordinator ends when the last of the handles is gone.

troupe::task<> main_task(int pongs, bool one_leaves) {
  auto config = std::make_unique<caf::actor_system_config>();
  config->load<caf::io::middleman>();
  troupe::caf_system system{std::move(config)};
  start(*system, pongs, one_leaves);
  co_await system.shut_down();
}

}  // namespace

int main(int argc, char** argv) {
  samples::options options{argc, argv};
  bool one_leaves = options.flag("--one-leaves");
  int pongs = options.number("--pongs", 1000, 0, 1000);
  options.end();
  return troupe::run(main_task, pongs, one_leaves);
}
