// One aggregator actor adds up the lengths of all connections and prints the sum at every tick.

#include <fmt/core.h>

#include <actors/aggregator.hpp>
#include <actors/listener.hpp>
#include <troupe/net/tcp.hpp>
#include <troupe/runtime/run.hpp>

#include "../options.hpp"

using sum_of_lengths = troupe::actors::aggregator<std::uint64_t>;

namespace {

class counted : public troupe::actor {
public:
  counted(troupe::io::stream peer, troupe::ref<sum_of_lengths> sum)
      : peer_{std::move(peer)}, sum_{std::move(sum)} {}

  troupe::task<> on_start() try {
    // Only a connection that was read to its end counts, and it counts once.
    std::uint64_t length = co_await peer_.discard_to_end();
    co_await sum_.send(troupe::actors::add{length});
  } catch (const troupe::system_error& error) {
    fmt::print("socket error = {}\n", error.code().message());
  }

private:
  troupe::io::stream peer_;
  troupe::ref<sum_of_lengths> sum_;
};

troupe::task<int> main_task(std::uint16_t port, troupe::duration period) try {
  troupe::io::listener source = troupe::net::tcp_listen("127.0.0.1", port);
  fmt::print("listening on {}\n", source.local_address());
  // At the end it flushes what is left: when the listener and the last connection are gone.
  auto print = [](std::uint64_t sum, std::size_t) { fmt::print("bytes read = {}\n", sum); };
  auto sum = troupe::spawn<sum_of_lengths>(print, period);
  auto make = [sum](auto peer) { return troupe::spawn<counted>(std::move(peer), sum); };
  troupe::actors::listener_options options;
  options.on_error = [](auto error) { fmt::print("listener error = {}\n", error.message()); };
  troupe::spawn<troupe::actors::listener>(std::move(source), make, options);
  co_return 0;
} catch (const troupe::system_error& error) {
  fmt::print("listener error = {}\n", error.what());
  co_return 1;
}

}  // namespace

int main(int argc, char** argv) {
  samples::options options{argc, argv};
  auto port = options.number<std::uint16_t>("--port", 0, 0, 65535);  // 0: any free one.
  std::chrono::duration<double> period{options.number("--interval", 30.0, 0.001, 86400.0)};
  options.end();
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // Each line is seen at once, also through a pipe.
  return troupe::run(main_task, port, duration_cast<troupe::duration>(period));
}
