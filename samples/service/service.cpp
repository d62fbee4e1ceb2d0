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

#include "acceptor.hpp"

namespace service {

namespace {

using namespace std::chrono_literals;

constexpr auto drain_time = 1s;
constexpr std::uint32_t mailbox_size = 1024;

double microseconds(troupe::duration length) {
  return std::chrono::duration<double, std::micro>{length}.count();
}

}  // namespace

troupe::task<> main_job::start() {
  // Peers that connect from now on wait until accepting begins.
  troupe::io::listener listener = troupe::net::tcp_listen("127.0.0.1", at_->wanted.port);
  troupe::io::listener ponger = troupe::net::tcp_listen("127.0.0.1", 0);
  std::uint16_t port = listener.port();
  start_roles(ponger.port());
  ponging_ = troupe::spawn(answer_pings, std::move(ponger));
  // Connects the transport before a stop can end intake there.
  auto first = co_await parts_->timing.rtt();
  if (!first) {
    throw troupe::system_error{first.error(), "the coordinator cannot reach its peer"};
  }

  fmt::print("listening on {}\n", listener.local_address());
  accepting_ = troupe::spawn(accept_connections, std::move(listener), at_, *parts_);
  if (at_->wanted.serve) co_return;
  load_.emplace(at_, port);
  load_->start(parts_->balance);
}

void main_job::start_roles(std::uint16_t ponger_port) {
  auto reports = troupe::mpsc<aggregator::message>(mailbox_size);
  auto requests = troupe::mpsc<coordinator::message>(mailbox_size);
  auto entries = troupe::mpsc_unbounded<entry>();
  parts_.emplace(aggregator{std::move(reports.tx)}, coordinator{std::move(requests.tx)},
                 std::move(entries.tx));
  counting_ = troupe::spawn(aggregate, std::move(reports.rx));
  coordinating_ = troupe::spawn(coordinate, std::move(requests.rx), transport{ponger_port});
  booking_ = troupe::spawn(keep_books, std::move(entries.rx));
}

troupe::task<> main_job::work() {
  if (at_->wanted.serve) {
    troupe::event never;
    co_await never.wait();
  }
  troupe::interval seconds{1s};
  troupe::time_point start = troupe::now(), last = start;
  std::uint64_t bytes_before = 0;
  for (std::int64_t second = 0; second < at_->wanted.run_for.count();) {
    troupe::tick reached =
        co_await seconds.next();  // It leaves out what a busy machine has missed.
    second = std::chrono::round<std::chrono::seconds>(reached.due - start).count();
    totals counted = co_await parts_->counting.ask();
    troupe::duration passed = troupe::now() - std::exchange(last, troupe::now());
    tell(second, passed, counted.connections,
         counted.counted_bytes - std::exchange(bytes_before, counted.counted_bytes));
  }
}

void main_job::tell(std::int64_t second, troupe::duration passed, std::size_t connections,
                    std::uint64_t bytes) const {
  meter::figures asked = load_->latencies().take();
  double part = std::chrono::duration<double>{passed}.count();
  fmt::print(
      "{:>3} s: {} connections, {:.0f} requests/s, {:.0f} bytes/s, p50 {:.0f} us, "
      "p99 {:.0f} us\n",
      second, connections, static_cast<double>(asked.answered_count) / part,
      static_cast<double>(bytes) / part, microseconds(asked.p50), microseconds(asked.p99));
}

troupe::task<balance> main_job::wind_down() {
  if (load_) co_await load_->finish();
  if (accepting_) co_await accepting_->cancel();
  balance result;
  if (parts_) result = co_await drain();
  if (ponging_) co_await ponging_->cancel();
  co_return result;
}

// Connections first: the other parts end with the last of those who talk to them.
troupe::task<balance> main_job::drain() {
  parts_.reset();
  at_->draining.set();
  auto booked = co_await troupe::timeout(drain_time, booking_->as_operation()).as_result();
  if (!booked) {
    at_->closing.set();
    booked = co_await *booking_;
  }
  balance result = *booked;
  result.counted_bytes = co_await *counting_;
  co_await *coordinating_;
  co_return result;
}

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
  fmt::print("{}\n", result.text());
  co_return result.ok() ? 0 : 1;
}

}  // namespace service
