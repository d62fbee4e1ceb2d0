// A CAF broker that gives every connection a broker of its own, which sends "hello world".

#include <cstdint>
#include <cstdio>
#include <string_view>
#include <utility>

#include <fmt/core.h>
#include <caf/all.hpp>
#include <caf/io/all.hpp>

#include <troupe/runtime/run.hpp>

#include "../options.hpp"
#include "serve.hpp"

namespace {

caf::behavior say_hello(caf::io::broker* self, caf::io::connection_handle socket) {
  std::string_view text = "hello world";
  self->ack_writes(socket, true);
  self->write(socket, text.size(), text.data());
  self->flush(socket);
  return {
      [=](const caf::io::data_transferred_msg& sent) {
        if (sent.remaining == 0) self->quit();  // The socket is closed here.
      },
      [=](const caf::io::connection_closed_msg&) {  // CAF does not say of what it died.
        fmt::print("socket error = connection closed\n");
        self->quit();
      },
  };
}

// CAF says nothing of an accept that fails, and tries again.
caf::behavior listen(caf::io::broker* self, caf::io::doorman_ptr door) {
  self->add_doorman(std::move(door));
  return {
      [=](const caf::io::new_connection_msg& accepted) { self->fork(say_hello, accepted.handle); }};
}

troupe::task<int> main_task(std::uint16_t port) {
  return samples::serve(port, [](caf::io::middleman& network, caf::io::doorman_ptr door) {
    return network.spawn_broker(listen, std::move(door));
  });
}

}  // namespace

int main(int argc, char** argv) {
  samples::options options{argc, argv};
  auto port = options.number<std::uint16_t>("--port", 0, 0, 65535);  // 0: any free one.
  options.end();
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // Each line is seen at once, also through a pipe.
  return troupe::run(main_task, port);
}
