#include "service.hpp"

#include <chrono>
#include <cstdio>
#include <utility>

#include <fmt/core.h>

#include <troupe/net/tcp.hpp>
#include <troupe/sched/interval.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/shield.hpp>
#include <troupe/task/spawn.hpp>

#include "door.hpp"
#include "second_process.hpp"

namespace service {

namespace {

using namespace std::chrono_literals;

// More than chaos asks for at its worst.
constexpr troupe::supervision lenient{.max_restarts = 1000, .max_delay = 50ms};

double microseconds(troupe::duration length) {
  return std::chrono::duration<double, std::micro>{length}.count();
}

// A fresh transport is as good a victim as the last.
troupe::task<transport> open_transport(std::shared_ptr<carrier> by,
                                       std::optional<troupe::ref<chaos>> enemy) {
  troupe::ref<pinging> made = co_await by->open();
  if (enemy) (void)enemy->try_send(victim{kind::a_transport, made});
  co_return transport{std::move(made)};
}

}  // namespace

troupe::task<> main_job::start() {
  // Peers that connect from now on wait until accepting begins.
  troupe::io::listener listener = troupe::net::tcp_listen("127.0.0.1", at_->wanted.port);
  troupe::io::listener ponger = troupe::net::tcp_listen("127.0.0.1", 0);
  std::optional<troupe::io::listener> secure;
  gate through;
  if (!at_->wanted.tls_key.empty()) {
    through = make_tls_gate(at_->wanted);
    secure = troupe::net::tcp_listen("127.0.0.1", at_->wanted.tls_port);
  }
  std::uint16_t port = listener.port();
  if (at_->wanted.chaos) enemy_ = troupe::spawn<chaos>(at_);
  std::uint16_t peer_port = ponger.port();
  ponging_ = troupe::spawn(answer_pings, std::move(ponger));
  if (at_->wanted.nodes) {
    carrier_ = co_await start_second_process(peer_port);
  } else {
    carrier_ = make_carrier(peer_port);
  }
  start_roles();
  // Connects the transport before a stop can end intake there.
  ++own_rtt_count_;
  auto first = co_await measure_rtt(parts_->timing);
  if (!first) {
    throw troupe::system_error{first.error(), "the coordinator cannot reach its peer"};
  }

  fmt::print("listening on {}\n", listener.local_address());
  door_ = open_door(*root_, std::move(listener), at_, *parts_, enemy_);
  if (secure) {
    fmt::print("listening with TLS on {}\n", secure->local_address());
    tls_door_ = open_door(*root_, std::move(*secure), at_, *parts_, enemy_, std::move(through));
  }
  if (at_->wanted.serve) co_return;
  load_.emplace(at_, parts_->counting, port);
  load_->start();
  if (enemy_) start_chaos();
}

// The order of a stop is the reverse.
void main_job::start_roles() {
  root_ = troupe::spawn<troupe::supervisor>(lenient);
  // Without a bound, since a connection must be able to tell of its end while it unwinds. Each has
  // two messages on the way at most.
  troupe::child_options counting{{.name = "aggregator", .unbounded = true}};
  troupe::child_options timing{{.name = "coordinator"}};
  auto durable = std::make_shared<ledger>(at_->wanted.chaos, at_->wanted.lost_bytes);
  coordinator::open_function open = [by = carrier_, enemy = enemy_] {
    return open_transport(by, enemy);
  };
  parts_.emplace(
      colleagues{troupe::spawn_child<aggregator>(*root_, std::move(counting), std::move(durable),
                                                 at_->wanted.accounts),
                 troupe::spawn_child<coordinator>(*root_, std::move(timing), std::move(open))});
}

void main_job::start_chaos() {
  (void)enemy_->try_send(victim{kind::a_listener, *door_});
  (void)enemy_->try_send(victim{kind::an_aggregator, parts_->counting});
  (void)enemy_->try_send(victim{kind::a_coordinator, parts_->timing});
  (void)enemy_->try_send(unleash{});
}

troupe::task<> main_job::work() {
  if (at_->wanted.serve && !at_->wanted.each_second) {
    troupe::event never;
    co_await never.wait();
  }
  troupe::interval seconds{1s};
  troupe::time_point start = troupe::now(), last = start;
  std::uint64_t bytes_before = 0;
  for (std::int64_t second = 0; at_->wanted.serve || second < at_->wanted.run_for.count();) {
    troupe::tick reached =
        co_await seconds.next();  // It leaves out what a busy machine has missed.
    second = std::chrono::round<std::chrono::seconds>(reached.due - start).count();
    totals counted = co_await ask_surely(parts_->counting, ask_totals{});
    troupe::duration passed = troupe::now() - std::exchange(last, troupe::now());
    tell(second, passed, counted.connections,
         counted.counted_bytes - std::exchange(bytes_before, counted.counted_bytes));
  }
  if (enemy_) co_await see_rtt_recovered();
}

// Coordinator and transport may both have been killed just before the calm, and each fails one
// request.
troupe::task<> main_job::see_rtt_recovered() {
  co_await enemy_->ask(calm{});
  for (int attempts_left = 3;;) {
    ++own_rtt_count_;
    auto measured = co_await measure_rtt(parts_->timing);
    if (measured) co_return;
    if (--attempts_left == 0) {
      throw troupe::system_error{measured.error(), "rtt has not come back after chaos"};
    }
  }
}

void main_job::tell(std::int64_t second, troupe::duration passed, std::size_t connections,
                    std::uint64_t bytes) const {
  double part = std::chrono::duration<double>{passed}.count();
  if (!load_) {
    fmt::print("{:>3} s: {} connections, {:.0f} bytes/s\n", second, connections,
               static_cast<double>(bytes) / part);
    return;
  }
  meter::figures asked = load_->latencies().take();
  fmt::print(
      "{:>3} s: {} connections, {:.0f} requests/s, {:.0f} bytes/s, p50 {:.0f} us, "
      "p99 {:.0f} us\n",
      second, connections, static_cast<double>(asked.answered_count) / part,
      static_cast<double>(bytes) / part, microseconds(asked.p50), microseconds(asked.p99));
}

troupe::task<balance> main_job::wind_down() {
  if (enemy_) done_ = co_await enemy_->ask(calm{});
  if (load_) co_await load_->finish();
  at_->draining.set();
  if (door_) co_await close_door();
  balance result;
  if (parts_) result = co_await ask_surely(parts_->counting, settle{});
  if (enemy_) enemy_->stop();
  if (root_) {
    root_->stop();
    co_await root_->ended();
  }
  if (ponging_) co_await ponging_->cancel();
  if (carrier_) {
    co_await carrier_->shut_down();
    result.given_by_caf = carrier_->answered_by_caf();
    result.own_rtt_count = own_rtt_count_;
  }
  co_return result;
}

// Connections first: they talk to the other parts until their end.
troupe::task<> main_job::close_door() {
  door_->stop();
  if (tls_door_) tls_door_->stop();
  auto left = co_await troupe::timeout(at_->wanted.drain, all_have_left()).as_result();
  if (left) co_return;
  at_->closing.set();
  co_await all_have_left();
}

// Also those that a listener has made which was killed.
troupe::task<> main_job::all_have_left() {
  co_await door_->ended();
  if (tls_door_) co_await tls_door_->ended();
  at_->close();
  co_await at_->vacant.wait();
}

std::string main_job::havoc_text() const { return summary(done_, at_->answered_count.load()); }

troupe::task<int> run_main_job(options wanted) {
  main_job job{wanted};
  bool has_failed = false;
  try {
    co_await job.start();
    co_await job.work();
  } catch (const troupe::canceled&) {
    // Ctrl-C: what was accepted is finished all the same.
  } catch (const troupe::system_error& error) {
    fmt::print(stderr, "service: {}\n", error.what());
    has_failed = true;
  }
  balance result;
  try {
    result = co_await troupe::shield(job.wind_down());
  } catch (const troupe::canceled&) {
    fmt::print(stderr, "service: the stop has taken too long, and was cut off\n");
    has_failed = true;
  }
  if (has_failed) co_return 1;
  if (wanted.chaos) fmt::print("{}\n", job.havoc_text());
  fmt::print("{}\n", result.text());
  co_return result.ok() ? 0 : 1;
}

}  // namespace service
