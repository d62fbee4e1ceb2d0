// Uses a bit of every component from outside, and says what came of it. See ../check.py.

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include <boost/asio/steady_timer.hpp>

#include <actors/listener.hpp>
#include <actors/ticker.hpp>
#include <troupe/actor/actor.hpp>
#include <troupe/base/block_pool.hpp>
#include <troupe/base/log.hpp>
#include <troupe/net/tcp.hpp>
#include <troupe/net/use_task.hpp>
#include <troupe/runtime/run.hpp>
#include <troupe/sched/spawn_blocking.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/version.hpp>

using namespace std::chrono_literals;

namespace {

struct beat {};
struct wait_for_beats {
  using reply = int;
};
struct fail {
  using reply = int;
};

class counter : public troupe::actor {
public:
  void on(beat) {
    if (++beats_ == 3) enough_.set();
  }
  troupe::task<int> on(wait_for_beats, troupe::interleaved) {
    co_await enough_.wait();
    co_return 3;
  }
  int on(fail) { throw std::runtime_error{"as asked"}; }

private:
  int beats_ = 0;
  troupe::event enough_;
};

// The library throws, and what is caught here has to be of the same type.
troupe::task<> wait_until_canceled(troupe::event& never) {
  try {
    co_await never.wait();
  } catch (const troupe::canceled&) {
    fmt::print("canceled\n");
    throw;
  }
}

troupe::task<> echo_once(troupe::io::listener& listener) {
  troupe::io::stream peer = co_await listener.accept();
  std::string all = co_await peer.read_to_end(100);
  co_await peer.write_all(all);
}

troupe::task<> use_net() {
  troupe::io::listener listener = troupe::net::tcp_listen("127.0.0.1", 0);
  auto served = troupe::spawn(echo_once, std::ref(listener));
  troupe::io::stream near = co_await troupe::net::tcp_connect("127.0.0.1", listener.port());
  co_await near.write_all("there and back");
  co_await near.shutdown();
  std::string answer = co_await near.read_to_end(100);
  fmt::print("echo: {}\n", answer);
  co_await served;
  boost::asio::steady_timer timer{troupe::net::io_context_of_current(), 1ms};
  co_await timer.async_wait(troupe::net::use_task);
}

troupe::task<> use_actors() {
  auto count = troupe::spawn<counter>();
  auto ticks = troupe::spawn<troupe::actors::ticker<beat>>(count, 1ms);
  int beats = co_await count.ask(wait_for_beats{});
  ticks.stop();
  fmt::print("beats: {}\n", beats);
  auto failed = co_await count.ask(fail{}).as_result();
  fmt::print("ask: {}\n", failed.error().message());
}

troupe::task<> use_tasks() {
  troupe::event never;
  auto waiting = troupe::spawn(wait_until_canceled, std::ref(never));
  co_await waiting.cancel();
  try {
    co_await troupe::timeout(1ms, never.wait());
  } catch (const troupe::system_error& late) {
    fmt::print("timeout: {}\n", late.code() == troupe::errc::timed_out);
  }
  int sum = co_await troupe::spawn_blocking([] { return 40 + 2; });
  fmt::print("blocking: {}\n", sum);
}

// The header looks into the pool that the library opens: both have to mean the same one.
void use_one_block_pool() {
  troupe::detail::free_block(troupe::detail::allocate_block(64), 64);
  fmt::print("one pool: {}\n", troupe::detail::local_blocks.is_open);
}

// The sink is set here and called by the library.
troupe::task<> main_task() {
  fmt::print("troupe {}\n", troupe::version_string);
  use_one_block_pool();
  co_await use_tasks();
  co_await use_actors();
  co_await use_net();
}

}  // namespace

int main() {
  troupe::set_log_sink([](troupe::log_level, std::string_view text) {
    fmt::print("log: {}\n", text.substr(0, text.find(' ')));
  });
  return troupe::run(main_task);
}
