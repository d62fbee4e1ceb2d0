#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/actor/actor.hpp>
#include <troupe/actor/undelivered.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sched/spawn_blocking.hpp>
#include <troupe/task/scope.hpp>
#include <troupe/task/yield.hpp>

#include <captured_log.hpp>
#include <threads.hpp>

#include "caf_fixture.hpp"

namespace troupe {

namespace {

using ::caf::behavior;
using ::caf::event_based_actor;
using namespace std::chrono_literals;
using test::some_workers;

struct hop {
  using reply = int;
  int left;
};
using hopping = protocol<hop>;

class doubler : public actor {
public:
  int on(hop m) { return 2 * m.left; }
};

// Asks an actor of troupe as long as it lives, and answers what it is asked itself.
behavior asks_on(event_based_actor* self, const ::caf::actor& troupes, pal::atomic<int>* count) {
  auto ask = std::make_shared<std::function<void()>>();
  std::weak_ptr<std::function<void()>> again = ask;
  self->delayed_send(self, 1h, 1);
  *ask = [=] {
    self->request(troupes, 10s, hop{count->fetch_add(1)}).then([=](int) {
      if (auto next = again.lock()) (*next)();
    });
  };
  (*ask)();
  return {[ask](const hop& m) { return m.left; }, [](int) {}};
}

// All that may be under way at the end of a system.
task<> make_load(caf_system& system, std::vector<ref<hopping>>& refs, pal::atomic<int>& count) {
  ref<doubler> local = spawn<doubler>();
  ::caf::actor proxy = to_caf<hopping>(system, local);
  for (int i = 0; i < 8; ++i) {
    refs.push_back(from_caf<hopping>(system, system->spawn(asks_on, proxy, &count)));
  }
  system->spawn([](::caf::blocking_actor* self) { self->delayed_send(self, 1ms, 1); });
  co_return;
}

task<> ask_on(ref<hopping> to, pal::atomic<int>& count) {
  for (;;) {
    hop m{count.fetch_add(1)};
    auto answer = co_await to.ask(m).as_result();
    if (!answer) co_return;
  }
}

enum class end_by { shut_down, letting_go, runtime };

void one_end(end_by how) {
  pal::atomic<int> count{0};
  ::caf::actor_system_config config;
  some_workers given{2};
  auto left = given.rt.spawn([&]() -> task<> {
    caf_system system{config};
    system->await_actors_before_shutdown(false);
    std::vector<ref<hopping>> refs;
    co_await make_load(system, refs, count);
    std::vector<join_handle<void>> clients;
    for (auto& each : refs) clients.push_back(spawn(ask_on, each, std::ref(count)));
    while (count.load() < 2000) co_await yield();
    if (how == end_by::runtime) co_await sleep_for(1h);
    if (how == end_by::letting_go) co_return;
    co_await system.shut_down();
    for (auto& each : clients) co_await each;
  });
  if (how == end_by::runtime) {
    given.rt.block_on([&]() -> task<> {
      while (count.load() < 2000) co_await yield();
    });
    left.detach();
  } else {
    given.rt.block_on([&]() -> task<> { co_await left; });
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(load_, *boost::unit_test::label("caf"))

// Goal: 100 of 100 ends of a system under load are clean: nothing hangs, nothing leaks, no line but
//       of what was not delivered.
BOOST_AUTO_TEST_CASE(all_ends_are_clean, *boost::unit_test::label("slow")) {
  test::captured_log log;
  auto former = set_undelivered_sink([](const undelivered&) {});
  std::size_t rounds = test::is_slow_build ? 10 : 34;
  for (std::size_t round = 0; round < rounds; ++round) {
    for (auto how : {end_by::shut_down, end_by::letting_go, end_by::runtime}) one_end(how);
  }
  set_undelivered_sink(former);
  for (auto& line : log.lines()) BOOST_ERROR(line);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
