// A spawned task sends its result through a oneshot, and main awaits it.

#include <string>
#include <utility>

#include <fmt/core.h>

#include <troupe/runtime/run.hpp>
#include <troupe/sync/oneshot.hpp>
#include <troupe/task/spawn.hpp>

#include "../options.hpp"

namespace {

using sender = troupe::oneshot_sender<std::string>;
using receiver = troupe::oneshot_receiver<std::string>;

// Sending never waits. When nobody waits for the value any more, the sender gets it back.
void send_result(sender tx) {
  if (auto unsent = tx.send("hello from spawned task")) {
    fmt::print("Sent in vain `{}`\n", *unsent);
  }
}

void drop_unsent(sender) {}

troupe::task<> print_result(receiver rx) {
  // `co_await rx` gives the string, or throws the error; as_result() gives either as a value.
  if (auto message = co_await rx.as_result()) {
    fmt::print("Got `{}`\n", *message);
  } else {
    fmt::print("error = {}\n", message.error().message());
  }
}

troupe::task<> main_task() {
  auto [tx, rx] = troupe::oneshot<std::string>();
  troupe::spawn(send_result, std::move(tx));
  co_await print_result(std::move(rx));
}

troupe::task<> main_task_without_sender() {
  auto [tx, rx] = troupe::oneshot<std::string>();
  troupe::spawn(drop_unsent, std::move(tx));
  co_await print_result(std::move(rx));
}

troupe::task<> main_task_without_receiver() {
  auto [tx, rx] = troupe::oneshot<std::string>();
  {
    receiver dropped{std::move(rx)};
  }
  troupe::spawn(send_result, std::move(tx));
  co_return;
}

}  // namespace

int main(int argc, char** argv) {
  samples::options options{argc, argv};
  bool drop_sender = options.flag("--drop-sender");
  bool drop_receiver = options.flag("--drop-receiver");
  options.end();
  if (drop_sender) return troupe::run(main_task_without_sender);
  if (drop_receiver) return troupe::run(main_task_without_receiver);
  return troupe::run(main_task);
}
