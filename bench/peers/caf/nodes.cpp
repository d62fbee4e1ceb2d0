// CAF's side of the works between two processes, on CAF alone: its own scheduler, and its
// middleman.
//
// `caf_nodes serve [--workers 2]` publishes an actor and says where; `caf_nodes WORK --port N` does
// the work with it and prints one tab-separated line per figure, as caf_bench does.

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <latch>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <caf/all.hpp>
#include <caf/io/all.hpp>

struct answer {
  std::uint64_t number;
};
struct question {
  std::uint64_t number;
};
struct reading {
  std::uint32_t sensor;
  std::int64_t at;
  double value;
};
struct counted {
  std::uint8_t nothing = 0;
};

template <class Inspector>
auto inspect(Inspector& f, answer& x) {
  return f(caf::meta::type_name("answer"), x.number);
}
template <class Inspector>
auto inspect(Inspector& f, question& x) {
  return f(caf::meta::type_name("question"), x.number);
}
template <class Inspector>
auto inspect(Inspector& f, reading& x) {
  return f(caf::meta::type_name("reading"), x.sensor, x.at, x.value);
}
template <class Inspector>
auto inspect(Inspector& f, counted& x) {
  return f(caf::meta::type_name("counted"), x.nothing);
}

namespace {

using caf::actor;
using caf::behavior;
using caf::event_based_actor;
using real_clock = std::chrono::steady_clock;

struct options {
  std::string_view work;
  std::uint64_t workers = 2, size = 0, warm_up = 0, port = 0, peer = 0;
};

[[noreturn]] void fail(const std::string& what, int code = 1) {
  std::fprintf(stderr, "caf_nodes: %s\n", what.c_str());
  std::_Exit(code);
}

double seconds_since(real_clock::time_point start) {
  return std::chrono::duration<double>(real_clock::now() - start).count();
}

void print(const char* name, double value, const char* unit) {
  std::printf("%s\tcaf\t%.6f\t%s\t%.6f\t%.6f\n", name, value, unit, value, value);
}

behavior station(event_based_actor*) {
  auto count = std::make_shared<std::uint64_t>(0);
  return {
      [](const question& asked) { return answer{asked.number + 1}; },
      [count](const reading&) { ++*count; },
      [count](const counted&) { return *count; },
  };
}

void serve(caf::actor_system& system, const options& given) {
  actor published = system.spawn(station);
  auto port = system.middleman().publish(published, static_cast<std::uint16_t>(given.port),
                                         "127.0.0.1", true);
  if (!port) fail(system.render(port.error()));
  std::printf("listening on 127.0.0.1:%u\n", static_cast<unsigned>(*port));
  std::fflush(stdout);
  system.await_all_actors_done();  // SIGTERM ends it.
}

// --- requests ---

constexpr std::uint64_t window = 256;

void ask_repeatedly(event_based_actor* self, const actor& to, std::uint64_t left, std::latch* all) {
  self->request(to, caf::infinite, question{left}).then([=](answer got) {
    if (got.number != left + 1) fail("a wrong answer");
    left > 1 ? ask_repeatedly(self, to, left - 1, all) : all->count_down();
  });
}

/// Fair: one actor with all requests under way. An actor for each of them was slower (0.5 to 0.9 x
/// in two runs), and so was a middleman without a worker of its own for what comes (0.5 x); that
/// was 0.95 to 1.4 x as fast in three runs of one_way, too little to be measured by itself.
double requests(caf::actor_system& system, const actor& to, std::uint64_t size) {
  std::uint64_t each = std::max<std::uint64_t>(size / window, 1);
  std::latch all{static_cast<std::ptrdiff_t>(window)};
  auto start = real_clock::now();
  system.spawn([&](event_based_actor* self) {
    for (std::uint64_t i = 0; i < window; ++i) ask_repeatedly(self, to, each, &all);
  });
  all.wait();
  return static_cast<double>(each * window) / seconds_since(start);
}

// --- one way ---

constexpr std::uint64_t senders = 4, portion = 5'000;

// Nothing holds a sender of CAF up, so that it would put all messages into memory at once. It sends
// the next portion when the one before the last has come: the wire always has one to carry.
void send_portions(event_based_actor* self, const actor& to, std::uint64_t left, std::latch* all) {
  std::uint64_t now = std::min(left, portion);
  for (std::uint64_t i = 0; i < now; ++i) {
    self->send(to, reading{1, static_cast<std::int64_t>(left - i), 0.5});
  }
  self->request(to, caf::infinite, counted{}).then([=](std::uint64_t) {
    if (left > 2 * portion) return send_portions(self, to, left - 2 * portion, all);
    all->count_down();
  });
}

std::uint64_t count_at(caf::scoped_actor& self, const actor& to) {
  std::uint64_t count = 0;
  self->request(to, caf::infinite, counted{})
      .receive([&](std::uint64_t found) { count = found; },
               [&](const caf::error&) { fail("no answer"); });
  return count;
}

double one_way(caf::actor_system& system, const actor& to, std::uint64_t size) {
  std::uint64_t each = std::max<std::uint64_t>(size / senders, 1);
  caf::scoped_actor self{system};
  std::uint64_t before = count_at(self, to);
  std::latch all{static_cast<std::ptrdiff_t>(2 * senders)};
  auto start = real_clock::now();
  for (std::uint64_t i = 0; i < senders; ++i) {
    system.spawn([=, &all](event_based_actor* sender) {
      send_portions(sender, to, each, &all);
      if (each > portion) {
        send_portions(sender, to, each - portion, &all);
      } else {
        all.count_down();
      }
    });
  }
  all.wait();
  std::uint64_t count = count_at(self, to) - before;
  double seconds = seconds_since(start);
  if (count != each * senders) fail("readings were lost: " + std::to_string(count));
  return static_cast<double>(count) / seconds;
}

// --- one at a time ---

using times = std::vector<double>;

void ask_one(event_based_actor* self, const actor& to, std::uint64_t left, times* took,
             std::promise<void>* over) {
  auto start = real_clock::now();
  self->request(to, caf::infinite, question{left}).then([=](answer) {
    took->push_back(seconds_since(start) * 1e6);
    left > 1 ? ask_one(self, to, left - 1, took, over) : over->set_value();
  });
}

times latency(caf::actor_system& system, const actor& to, std::uint64_t size) {
  times took;
  std::promise<void> over;
  system.spawn(ask_one, to, size, &took, &over);
  over.get_future().wait();
  std::sort(took.begin(), took.end());
  return took;
}

// --- the other process is killed ---

// CAF tells who monitors an actor there; requests that wait are failed by their time limit alone.
double kill_peer(caf::actor_system& system, const actor& to, const options& given) {
  std::promise<real_clock::time_point> noticed;
  std::promise<void> watched;
  actor watcher = system.spawn([&](event_based_actor* self) {
    self->set_down_handler([&](caf::down_msg&) { noticed.set_value(real_clock::now()); });
    self->monitor(to);
    watched.set_value();
    self->become([](caf::unit_t) {});
  });
  watched.get_future().wait();
  (void)requests(system, to, window * 8);
  auto start = real_clock::now();
  if (::kill(static_cast<pid_t>(given.peer), SIGKILL) != 0) fail("cannot kill the other process");
  return std::chrono::duration<double>(noticed.get_future().get() - start).count();
}

void measure(caf::actor_system& system, const options& given) {
  auto to = system.middleman().remote_actor("127.0.0.1", static_cast<std::uint16_t>(given.port));
  if (!to) fail(system.render(to.error()));
  auto size_or = [&](std::uint64_t usual) { return given.size > 0 ? given.size : usual; };
  for (std::uint64_t i = 0; i <= given.warm_up; ++i) {
    bool is_last = i == given.warm_up;
    if (given.work == "requests") {
      double rate = requests(system, *to, size_or(300'000));
      if (is_last) print("requests", rate, "requests/s");
    } else if (given.work == "one_way") {
      double rate = one_way(system, *to, size_or(1'000'000));
      if (is_last) print("one_way", rate, "messages/s");
    } else if (given.work == "latency") {
      times took = latency(system, *to, size_or(20'000));
      if (!is_last) continue;
      print("latency", took[took.size() / 2], "us");
      print("latency_p99", took[took.size() * 99 / 100], "us");
    } else if (given.work == "kill") {
      print("kill", kill_peer(system, *to, given) * 1e3, "ms");
      return;
    } else {
      fail("no such work: " + std::string{given.work}, 2);
    }
  }
}

options parse(int count, char** words) {
  options given;
  if (count < 2) fail("no work named", 2);
  given.work = words[1];
  for (int i = 2; i + 1 < count; i += 2) {
    std::string_view name = words[i];
    std::uint64_t number = std::strtoull(words[i + 1], nullptr, 10);
    if (name == "--workers") {
      given.workers = number;
    } else if (name == "--size") {
      given.size = number;
    } else if (name == "--warm-up") {
      given.warm_up = number;
    } else if (name == "--port") {
      given.port = number;
    } else if (name == "--peer") {
      given.peer = number;
    } else {
      fail("unknown option " + std::string{name}, 2);
    }
  }
  return given;
}

}  // namespace

int main(int count, char** words) {
  options given = parse(count, words);
  caf::actor_system_config config;
  config.set("scheduler.max-threads", given.workers);
  config.add_message_type<answer>("answer");
  config.add_message_type<question>("question");
  config.add_message_type<reading>("reading");
  config.add_message_type<counted>("counted");
  config.load<caf::io::middleman>();
  caf::actor_system system{config};
  if (given.work == "serve") {
    serve(system, given);
  } else {
    measure(system, given);
  }
  std::fflush(stdout);
  std::_Exit(0);  // Ending what is idle is no part of any work.
}
