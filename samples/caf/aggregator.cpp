// One CAF actor adds up the lengths of all connections and prints the sum at every tick.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <map>
#include <utility>

#include <fmt/core.h>
#include <caf/all.hpp>
#include <caf/io/all.hpp>

#include <troupe/runtime/run.hpp>

#include "../options.hpp"
#include "serve.hpp"

using namespace std::chrono_literals;

namespace {

struct sum {
  std::uint64_t bytes_read = 0;
};

caf::behavior background(caf::stateful_actor<sum>* self, const caf::actor& connections,
                         caf::timespan period) {
  auto print = [self] {
    fmt::print("bytes read = {}\n", std::exchange(self->state.bytes_read, 0));
  };
  // The end of the broker comes after all lengths that it has sent.
  self->monitor(connections);
  self->set_down_handler([=](const caf::down_msg&) {
    print();  // What is left at the end; the guide drops it.
    self->quit();
  });
  self->delayed_send(self, period, caf::tick_atom_v);
  return {
      [=](std::uint64_t length) { self->state.bytes_read += length; },
      [=](caf::tick_atom) {
        print();
        self->delayed_send(self, period, caf::tick_atom_v);
      },
  };
}

struct lengths {
  std::map<caf::io::connection_handle, std::uint64_t> of;
};

caf::behavior count(caf::io::stateful_broker<lengths>* self, caf::io::doorman_ptr door,
                    caf::timespan period) {
  auto listener = door->hdl();
  self->add_doorman(std::move(door));
  auto aggregator = self->spawn(background, caf::actor{self}, period);
  auto quit_when_done = [=] {
    if (!self->valid(listener) && self->num_connections() == 0) self->quit();
  };
  self->set_exit_handler([=](const caf::exit_msg&) {
    self->close(listener);
    quit_when_done();
    self->delayed_send(self, 3s, caf::timeout_atom_v);
  });
  return {
      [=](const caf::io::new_connection_msg& accepted) {
        self->configure_read(accepted.handle, caf::io::receive_policy::at_most(1 << 16));
      },
      [=](const caf::io::new_data_msg& read) { self->state.of[read.handle] += read.buf.size(); },
      // Only the end of a connection counts, and it counts once. CAF does not tell whether the
      // connection was read to its end or is broken.
      [=](const caf::io::connection_closed_msg& closed) {
        self->send(aggregator, std::exchange(self->state.of[closed.handle], 0));
        quit_when_done();
      },
      [=](caf::timeout_atom) { self->quit(); },  // With connections that would not end.
  };
}

troupe::task<int> main_task(std::uint16_t port, caf::timespan period) {
  return samples::serve(port, [period](caf::io::middleman& network, caf::io::doorman_ptr door) {
    return network.spawn_broker(count, std::move(door), period);
  });
}

}  // namespace

int main(int argc, char** argv) {
  samples::options options{argc, argv};
  auto port = options.number<std::uint16_t>("--port", 0, 0, 65535);  // 0: any free one.
  std::chrono::duration<double> period{options.number("--interval", 30.0, 0.001, 86400.0)};
  options.end();
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // Each line is seen at once, also through a pipe.
  return troupe::run(main_task, port, duration_cast<caf::timespan>(period));
}
