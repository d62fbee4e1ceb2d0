// A key-value server that speaks the protocol of Redis: keyval --port 6380

#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

#include <fmt/core.h>
#include <sys/resource.h>

#include <troupe/actor/undelivered.hpp>
#include <troupe/net/tcp.hpp>
#include <troupe/runtime/run.hpp>

#include "../../options.hpp"
#include "server.hpp"

namespace {

struct options {
  std::uint16_t port;
  std::string address;
  std::string journal;
  std::size_t workers, shards, max_connections, max_value_bytes;
};

troupe::task<int> serve(options wanted) {
  try {
    keyval::server_options how;
    how.shards = wanted.shards;
    how.max_sessions = wanted.max_connections;
    how.max_word_bytes = wanted.max_value_bytes;
    if (!wanted.journal.empty()) how.journal_at = co_await keyval::open_disk(wanted.journal);
    troupe::io::listener source = troupe::net::tcp_listen(wanted.address, wanted.port);
    std::string at = source.local_address();
    keyval::server made = co_await keyval::open_server(std::move(source), std::move(how));
    if (!made.replayed.empty()) fmt::print("{}\n", made.replayed);
    fmt::print("listening on {}\n", at);
    std::string ended = co_await keyval::first_end(std::move(made.parts));
    fmt::print(stderr, "keyval: a part has ended, and so does the server: {}\n", ended);
    made.door.stop();
  } catch (const troupe::system_error& error) {
    fmt::print(stderr, "keyval: {}\n", error.what());
  }
  co_return 1;
}

void make_room_for_descriptors(std::size_t connections) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  rlim_t needed = connections + 32;
  if (limit.rlim_cur >= needed) return;
  limit.rlim_cur = std::min<rlim_t>(needed, limit.rlim_max);
  (void)::setrlimit(RLIMIT_NOFILE, &limit);  // Without it accepting pauses: the listener says so.
}

}  // namespace

int main(int argc, char** argv) {
  samples::options given{argc, argv};
  options wanted{};
  wanted.port = given.number<std::uint16_t>("--port", 0, 0, 65535);  // 0: any free one.
  wanted.address = given.text("--address", "IP");
  wanted.journal = given.text("--journal", "FILE");
  wanted.workers = given.number<std::size_t>("--workers", 1, 1, 1024);
  wanted.shards = given.number<std::size_t>("--shards", wanted.workers, 1, 1024);
  wanted.max_connections = given.number<std::size_t>("--max-connections", 10'000, 1, 1'000'000);
  wanted.max_value_bytes = given.number<std::size_t>("--max-value-bytes", std::size_t{512} << 20U,
                                                     64, std::size_t{512} << 20U);
  given.end();
  if (wanted.address.empty()) wanted.address = "127.0.0.1";
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // Each line is seen at once, also through a pipe.
  make_room_for_descriptors(wanted.max_connections);
  // What was published for one that has gone meanwhile.
  troupe::set_undelivered_sink([](const troupe::undelivered&) {});
  troupe::runtime_config config;
  config.workers = wanted.workers;
  return troupe::run(config, serve, wanted);
}
