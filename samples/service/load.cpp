#include "load.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include <fmt/core.h>

#include <troupe/net/tcp.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/task/select.hpp>
#include <troupe/task/spawn.hpp>

namespace service {

namespace {

using namespace std::chrono_literals;

constexpr auto connect_time = 10s;
constexpr auto finish_time = 10s;
constexpr unsigned patience_count = 3;  // Attempts in vain before a word is said.

troupe::task<bool> visit(load_site& of, troupe::pal::random& dice, bool complain) {
  try {
    troupe::io::stream server =
        co_await troupe::timeout(connect_time, troupe::net::tcp_connect("127.0.0.1", of.port));
    client visitor{std::move(server), of, dice};
    co_return co_await visitor.converse();
  } catch (const troupe::system_error& error) {
    if (complain) {
      of.at->heard.say(trouble::connect, fmt::format("the load cannot connect to port {}: {}",
                                                     of.port, error.code().message()));
    }
  }
  co_return false;
}

troupe::task<> run_client(std::shared_ptr<load_site> of, std::uint64_t seed) {
  troupe::pal::random dice{seed};
  unsigned vain_count = 0;
  while (!of->finish.is_set()) {
    bool was_served = co_await visit(*of, dice, vain_count >= patience_count);
    vain_count = was_served ? 0 : vain_count + 1;
    if (was_served) continue;
    auto pause = std::min<troupe::duration>(10ms * vain_count, 500ms);
    co_await troupe::select(of->finish.wait(), troupe::sleep_for(pause));
  }
}

}  // namespace

void load::start() {
  troupe::pal::random seeds{shared_->at->wanted.seed};
  for (std::size_t i = 0; i < shared_->at->wanted.client_count; ++i) {
    clients_.push_back(troupe::spawn(run_client, shared_, seeds.next()));
  }
}

troupe::task<> load::finish() {
  shared_->finish.set();
  troupe::time_point deadline = troupe::now() + finish_time;
  for (auto& each : clients_) {
    auto ended = co_await troupe::timeout_at(deadline, each.as_operation()).as_result();
    if (!ended) co_await each.cancel();
  }
}

}  // namespace service
