// A spawned task sends ten messages through a channel; main receives until the last sender is gone.

#include <string>
#include <utility>

#include <fmt/core.h>

#include <troupe/runtime/run.hpp>
#include <troupe/sync/mpsc.hpp>
#include <troupe/task/spawn.hpp>

#include "../options.hpp"

namespace {

troupe::task<> send_ten(troupe::sender<std::string> tx) {
  for (int i = 0; i < 10; ++i) {
    // Waits while the channel is full; fails once the receiver is gone.
    auto sent = co_await tx.send(fmt::format("Message {} from spawned task", i)).as_result();
    if (sent.has_error()) {
      fmt::print("error = {}\n", sent.error().message());
      co_return;
    }
  }
}  // The last sender goes here, and with it the stream ends.

troupe::task<> main_task() {
  auto [tx, rx] = troupe::mpsc<std::string>(1024);
  troupe::spawn(send_ten, std::move(tx));
  while (auto message = co_await rx.recv()) fmt::print("Got `{}`\n", *message);
}

troupe::task<> main_task_without_receiver() {
  auto [tx, rx] = troupe::mpsc<std::string>(1024);
  {
    troupe::receiver<std::string> dropped{std::move(rx)};
  }
  troupe::spawn(send_ten, std::move(tx));
  co_return;
}

}  // namespace

int main(int argc, char** argv) {
  samples::options options{argc, argv};
  bool drop_receiver = options.flag("--drop-receiver");
  options.end();
  return drop_receiver ? troupe::run(main_task_without_receiver) : troupe::run(main_task);
}
