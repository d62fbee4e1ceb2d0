// The works of the benchmark in which CAF takes part: CAF actors on troupe's workers (caf_NAME) and
// on CAF's own scheduler (own_NAME), and requests between the two systems.

#include <caf/all.hpp>

#include <functional>
#include <future>
#include <memory>
#include <utility>

#include <troupe/actor/actor.hpp>
#include <troupe/caf/system.hpp>
#include <troupe/runtime/run.hpp>
#include <troupe/sync/oneshot.hpp>

#include "../troupe/works.hpp"

namespace troupe::bench {

namespace {

using ::caf::behavior;
using ::caf::event_based_actor;

/// Starts actors that call `done` once, at the end of the work.
using caf_work = std::function<void(::caf::actor_system&, std::size_t size, std::function<void()>)>;

task<double> seconds_on_workers(const caf_work& work, std::size_t size) {
  ::caf::actor_system_config config;
  caf_system system{config};
  auto [tx, rx] = oneshot<int>();
  auto over = std::make_shared<oneshot_sender<int>>(std::move(tx));
  auto start = real_clock::now();
  work(*system, size, [over] { (void)std::move(*over).send(0); });
  co_await rx;
  double seconds = seconds_since(start);
  co_await system.shut_down();
  co_return seconds;
}

double seconds_on_its_own(const settings& given, const caf_work& work, std::size_t size) {
  ::caf::actor_system_config config;
  config.set("scheduler.max-threads", given.workers);
  ::caf::actor_system system{config};
  std::promise<void> over;
  auto start = real_clock::now();
  work(system, size, [&over] { over.set_value(); });
  over.get_future().wait();
  return seconds_since(start);
}

behavior server(event_based_actor*) {
  return {[](std::size_t x) { return x; }};
}

void ping(event_based_actor* self, const ::caf::actor& to, std::size_t left,
          const std::function<void()>& done) {
  self->request(to, ::caf::infinite, left).then([=](std::size_t) {
    if (left > 1) return ping(self, to, left - 1, done);
    self->send_exit(to, ::caf::exit_reason::user_shutdown);
    done();
  });
}

void ping_pong(::caf::actor_system& system, std::size_t size, std::function<void()> done) {
  auto to = system.spawn(server);
  system.spawn([=](event_based_actor* self) { ping(self, to, size, done); });
}

void fan_in(::caf::actor_system& system, std::size_t size, std::function<void()> done) {
  constexpr std::size_t senders = 100;
  std::size_t each = size / senders;
  auto sum = system.spawn([=](event_based_actor* self) -> behavior {
    auto left = std::make_shared<std::size_t>(each * senders);
    return {[=](std::size_t) {
      if (--*left > 0) return;
      done();
      self->quit();
    }};
  });
  for (std::size_t i = 0; i < senders; ++i) {
    system.spawn([=](event_based_actor* self) {
      for (std::size_t x = 0; x < each; ++x) self->send(sum, x);
    });
  }
}

// All at once, each with a time limit that is not reached.
void timeouts(::caf::actor_system& system, std::size_t size, std::function<void()> done) {
  auto to = system.spawn(server);
  system.spawn([=](event_based_actor* self) {
    auto left = std::make_shared<std::size_t>(size);
    for (std::size_t i = 0; i < size; ++i) {
      self->request(to, std::chrono::seconds{10}, i).then([=](std::size_t) {
        if (--*left > 0) return;
        self->send_exit(to, ::caf::exit_reason::user_shutdown);
        done();
      });
    }
  });
}

struct number {
  using reply = std::size_t;
  std::size_t value;
};
using numbers = protocol<number>;

class echo : public actor {
public:
  std::size_t on(number m) { return m.value; }
};

// The microseconds that a task waits for the answer of a CAF actor.
task<double> ask_caf(std::size_t size) {
  ::caf::actor_system_config config;
  caf_system system{config};
  auto to = from_caf<numbers>(system, system->spawn([](event_based_actor*) -> behavior {
    return {[](const number& m) { return m.value; }};
  }));
  auto start = real_clock::now();
  for (std::size_t i = 0; i < size; ++i) co_await to.ask<number>(i);
  double seconds = seconds_since(start);
  to.stop();
  co_await system.shut_down();
  co_return seconds / static_cast<double>(size) * 1e6;
}

void ask_on(event_based_actor* self, const ::caf::actor& to, std::size_t left,
            const std::function<void()>& done) {
  self->request(to, ::caf::infinite, number{left}).then([=](std::size_t) {
    left > 1 ? ask_on(self, to, left - 1, done) : done();
  });
}

// The microseconds that a CAF actor waits for the answer of one of troupe.
task<double> ask_troupe(std::size_t size) {
  auto to = spawn<echo>();
  ::caf::actor_system_config config;
  caf_system system{config};
  ::caf::actor proxy = to_caf<numbers>(system, to);
  auto [tx, rx] = oneshot<int>();
  auto over = std::make_shared<oneshot_sender<int>>(std::move(tx));
  auto start = real_clock::now();
  system->spawn([=](event_based_actor* self) {
    ask_on(self, proxy, size, [over] { (void)std::move(*over).send(0); });
  });
  co_await rx;
  double seconds = seconds_since(start);
  proxy = nullptr;
  co_await system.shut_down();
  co_return seconds / static_cast<double>(size) * 1e6;
}

task<double> start_and_stop() {
  auto start = real_clock::now();
  ::caf::actor_system_config config;
  caf_system system{config};
  co_await system.shut_down();
  co_return seconds_since(start) * 1e3;
}

// Both sides of a work, as rates.
void add(std::map<std::string, work>& to, const char* name, const char* unit, std::size_t usual,
         const caf_work& what) {
  to[std::string{"caf_"} + name] = {unit, [=](const settings& given) {
                                      std::size_t size = size_or(given, usual);
                                      double seconds = on_runtime(
                                          given, [&] { return seconds_on_workers(what, size); });
                                      return static_cast<double>(size) / seconds;
                                    }};
  to[std::string{"own_"} + name] = {unit, [=](const settings& given) {
                                      std::size_t size = size_or(given, usual);
                                      return static_cast<double>(size) /
                                             seconds_on_its_own(given, what, size);
                                    }};
}

}  // namespace

const std::map<std::string, work>& works() {
  static const std::map<std::string, work> all = [] {
    std::map<std::string, work> made;
    add(made, "ping_pong", "requests/s", 500'000, &ping_pong);
    add(made, "fan_in", "messages/s", 2'000'000, &fan_in);
    add(made, "timeouts", "requests/s", 10'000, &timeouts);
    made["caf_ask"] = {"us", [](const settings& given) {
                         return on_runtime(given, [&] { return ask_caf(size_or(given, 500'000)); });
                       }};
    made["caf_serve"] = {"us", [](const settings& given) {
                           return on_runtime(given,
                                             [&] { return ask_troupe(size_or(given, 500'000)); });
                         }};
    made["caf_start"] = {"ms", [](const settings& given) {
                           return on_runtime(given, [] { return start_and_stop(); });
                         }};
    return made;
  }();
  return all;
}

/// A process with a CAF system and an actor, and nothing to do.
int stay_idle(const settings& given) {
  runtime_config config;
  config.workers = given.workers;
  config.handle_signals = false;
  return run(config, []() -> task<> {
    ::caf::actor_system_config settings_of_caf;
    caf_system system{settings_of_caf};
    ::caf::actor waits = system->spawn(server);
    auto [tx, rx] = oneshot<int>();
    co_await rx;
  });
}

}  // namespace troupe::bench
