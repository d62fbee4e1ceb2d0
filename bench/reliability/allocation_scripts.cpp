#include "allocation_scripts.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include <troupe/actor/registry.hpp>
#include <troupe/actor/supervisor.hpp>
#include <troupe/io/framing.hpp>
#include <troupe/net/tcp.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/interval.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sched/spawn_blocking.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/sync/broadcast.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/join_set.hpp>
#include <troupe/sync/mpsc.hpp>
#include <troupe/sync/oneshot.hpp>
#include <troupe/sync/semaphore.hpp>
#include <troupe/sync/watch.hpp>
#include <troupe/task/scope.hpp>
#include <troupe/task/select.hpp>
#include <troupe/task/when_all.hpp>
#include <troupe/task/yield.hpp>

namespace reliability {

using namespace std::chrono_literals;
using namespace troupe;

namespace {

pal::atomic<bool> all_right{true};

runtime_config quiet_settings() {
  runtime_config config;
  config.workers = 1;  // The same allocations in the same order each time.
  config.network = false;
  config.stall_threshold = 0s;
  config.deadline = 2s;
  return config;
}

// What waits for what never comes is found by its time limit.
template <class F>
void run_limited(const runtime_config& config, F body) {
  runtime rt{config};
  rt.block_on([&body]() -> task<> { co_await timeout(5s, body()); });
}

// --- tasks ---

task<int> twice(int n) {
  co_await yield();
  co_return 2 * n;
}

task<> try_tasks() {
  auto first = spawn(twice, 1);
  auto second = spawn([text = std::string(100, 'x')] { return text.size(); });
  expect(co_await first == 2);
  expect(co_await second == 100);
  auto both = co_await when_all(twice(2), twice(3));
  expect(std::get<0>(both) + std::get<1>(both) == 10);
  int sum = 0;
  co_await scope([&sum](scope_handle inside) -> task<> {
    for (int i = 0; i < 3; ++i) {
      inside.spawn([&sum, i]() -> task<> {
        int doubled = co_await twice(i);
        sum += doubled;
      });
    }
    co_return;
  });
  expect(sum == 6);
  std::string text = co_await spawn_blocking([] { return std::string(50, 'b'); });
  expect(text.size() == 50);
  spawn(twice, 4).detach();
}

// More than a block of what is queued from outside holds.
void run_outside() {
  constexpr int count = 1'100;
  pal::atomic<int> ran{0};
  int spawned = 0;
  runtime rt{quiet_settings()};
  try {
    for (; spawned < count; ++spawned) rt.spawn([&ran] { ++ran; }).detach();
  } catch (const std::bad_alloc&) {
    expect(rt.shut_down(2s).empty() && ran.load() == spawned);
    throw;
  }
  expect(rt.shut_down(2s).empty() && ran.load() == count);
}

// --- actors ---

struct add {
  std::string text;
};
struct length {};
struct slow_length {};
struct later_length {};

class keeper : public actor {
public:
  void on(const add& m) { text_ += m.text; }
  std::size_t on(length) { return text_.size(); }
  task<std::size_t> on(slow_length) {
    co_await yield();
    co_return text_.size();
  }
  void on(later_length, reply<std::size_t> back) {
    self().spawn([this, back = std::move(back)]() mutable -> task<> {
      co_await yield();
      back.answer(text_.size());
    });
  }

private:
  std::string text_;
};

task<> try_actors() {
  actor_options options;
  options.name = "the keeper of a text whose name is long";
  options.capacity = 4;
  auto k = troupe::spawn<keeper>(options);
  add message{std::string(40, 'a')};
  co_await k.send(take(message));
  expect(!k.try_send(add{std::string(2, 'b')}).has_error());
  std::size_t plain = co_await k.ask(length{});
  std::size_t slow = co_await k.ask(slow_length{});
  std::size_t later = co_await k.ask(later_length{});
  expect(plain == 42 && slow == 42 && later == 42);
  expect(register_actor("keeper", k));
  expect(find_actor<keeper>("keeper").has_value());
  k.stop();
  exit_reason why = co_await k.ended();
  expect(why.kind == exit_kind::stopped);
}

// --- failures ---

struct fail_now {};
struct watch_them {
  ref<class worker_actor> whom;
};
struct news_count {};

class worker_actor : public actor {
public:
  void on(fail_now) { throw std::runtime_error{"on purpose, at some length of text"}; }
  bool on(length) { return true; }
};

class watcher_actor : public actor {
public:
  bool on(const watch_them& m) {
    self(this).monitor(m.whom);
    return true;
  }
  void on(const down&) { ++downs_; }
  int on(news_count) { return downs_; }

private:
  int downs_ = 0;
};

// A failure is told of in time, or reported as undelivered: both ends are waited for.
task<> wait_for_news(ref<watcher_actor> from, int wanted) {
  for (int looks = 0; looks < 200; ++looks) {
    int seen = co_await from.ask(news_count{});
    if (seen >= wanted) co_return;
    co_await sleep_for(1ms);
  }
  expect(false);
}

task<> try_supervision() {
  auto root = troupe::spawn<supervisor>(supervision{.min_delay = 1ms});
  auto child = spawn_child<worker_actor>(root);
  auto sibling = spawn_child<worker_actor>(root);
  auto observer = troupe::spawn<watcher_actor>();
  watch_them news{child};
  expect(co_await observer.ask(take(news)));
  for (int i = 1; i <= 2; ++i) {
    co_await child.send(fail_now{});
    co_await wait_for_news(observer, i);
    expect(co_await child.ask(length{}));
    expect(co_await sibling.ask(length{}));
  }
  root.stop();
  (void)co_await root.ended();
  expect(child.has_ended() && sibling.has_ended());
}

// --- channels ---

task<> fill(sender<std::string> out) {
  for (int i = 0; i < 5; ++i) {
    std::string text(30, 'c');
    co_await out.send(std::move(text));
  }
}

task<> try_channels() {
  auto stream = mpsc<std::string>(2);
  auto filling = spawn(fill, std::move(stream.tx));
  int received = 0;
  while (auto text = co_await stream.rx.recv()) received += text->size() == 30 ? 1 : 0;
  expect(received == 5);
  co_await filling;

  auto answer = oneshot<std::string>();
  spawn([tx = std::move(answer.tx)]() mutable { tx.send(std::string(30, 'd')); }).detach();
  std::string answered = co_await answer.rx;
  expect(answered.size() == 30);

  auto level = watch(1);
  level.tx.set(2);
  auto latest = co_await level.rx.next();
  expect(latest && *latest == 2);

  auto news = broadcast<int>(4);
  news.tx.send(7);
  auto heard = co_await news.rx.recv();
  expect(heard && std::get<int>(*heard) == 7);

  semaphore permits{1};
  auto permit = co_await permits.acquire();
  join_set<int> set;
  for (int i = 0; i < 3; ++i) set.spawn(twice, i);
  int sum = 0;
  while (auto each = co_await set.next()) sum += *each;
  expect(sum == 6);
}

// --- time ---

struct beat {};
struct beats {};

class clockwork : public actor {
public:
  void on_start() {
    self(this).send_every(1ms, beat{});
    self(this).send_after(1ms, beat{});
  }
  void on(beat) { ++seen_; }
  int on(beats) { return seen_; }

private:
  int seen_ = 0;
};

task<> try_timers() {
  auto ticking = troupe::spawn<clockwork>();
  interval every{1ms};
  for (int i = 0; i < 2; ++i) (void)co_await every.next();
  auto never_sent = mpsc<int>(1);
  auto late = co_await timeout(1ms, never_sent.rx.recv()).as_result();
  expect(late.has_error() && late.error() == errc::timed_out);
  auto first = co_await select(never_sent.rx.recv(), sleep_for(1ms));
  expect(first.index() == 1);
  for (int seen = 0; seen < 3;) {
    co_await sleep_for(1ms);
    seen = co_await ticking.ask(beats{});
  }
}

// --- network ---

task<> echo_all(io::stream peer) {
  std::array<std::byte, 256> buffer;
  while (std::size_t count = co_await peer.read_some(buffer)) {
    co_await peer.write_all(std::span{buffer}.first(count));
  }
}

task<> serve_one(io::listener listener) {
  io::stream peer = co_await listener.accept();
  co_await echo_all(std::move(peer));
}

task<> try_network() {
  io::listener listener = net::tcp_listen("127.0.0.1", 0);
  std::uint16_t port = listener.port();
  auto serving = spawn(serve_one, std::move(listener));
  {
    io::stream server = co_await net::tcp_connect("127.0.0.1", port);
    io::line_reader lines{server};
    const std::string request = std::string(60, 'e') + "\n";
    co_await server.write_all(request);
    auto line = co_await lines.next_line();
    expect(line && line->size() == 60);
  }
  co_await serving;
}

// --- the end ---

class careful : public actor {
public:
  explicit careful(int* ended) : ended_{ended} {}
  task<> on_stop() {
    co_await yield();
    ++*ended_;
  }
  void on(beat) {}

private:
  int* ended_;
};

void run_shut_down() {
  int ended = 0;
  runtime rt{quiet_settings()};
  auto kept = rt.block_on([&ended]() -> task<std::array<ref<careful>, 2>> {
    std::array<ref<careful>, 2> made{troupe::spawn<careful>(&ended),
                                     troupe::spawn<careful>(&ended)};
    spawn([]() -> task<> { co_await sleep_for(1h); }).detach();
    co_return made;
  });
  auto survivors = rt.shut_down(500ms);
  expect(survivors.empty());
  expect(ended == 2);
  expect(kept[0].has_ended() && kept[1].has_ended());
}

runtime_config with_network() {
  runtime_config config = quiet_settings();
  config.network = true;
  return config;
}

constexpr script scripts[] = {
    {"tasks", [] { run_limited(quiet_settings(), &try_tasks); }},
    {"outside", &run_outside},
    {"actors", [] { run_limited(quiet_settings(), &try_actors); }},
    {"supervision", [] { run_limited(quiet_settings(), &try_supervision); }},
    {"channels", [] { run_limited(quiet_settings(), &try_channels); }},
    {"timers", [] { run_limited(quiet_settings(), &try_timers); }},
    {"network", [] { run_limited(with_network(), &try_network); }},
    {"shut_down", &run_shut_down},
};

}  // namespace

std::span<const script> all_scripts() noexcept { return scripts; }

void expect(bool holds) noexcept {
  if (!holds) all_right.store(false);
}

bool was_all_as_expected() noexcept { return all_right.exchange(true); }

}  // namespace reliability
