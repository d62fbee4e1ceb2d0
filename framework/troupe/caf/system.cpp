#include <troupe/caf/system.hpp>

#include <utility>

#include <troupe/base/assert.hpp>
#include <troupe/caf/detail/coordinator.hpp>
#include <troupe/sched/spawn_blocking.hpp>

namespace troupe {

namespace detail {

::caf::actor_system& actor_system_of(const caf_system& system) { return *system; }

std::shared_ptr<caf_neighbours> neighbours_of(const caf_system& system) {
  return static_cast<caf_coordinator&>(system->scheduler()).neighbours();
}

}  // namespace detail

namespace {

::caf::actor_system* start(::caf::actor_system_config& config) {
  scheduler* home = scheduler::current();
  if (home == nullptr) misuse("caf_system was made outside a runtime: make it in a task");
  auto& factories = config.module_factories;
  factories.emplace_back([home](::caf::actor_system& of) -> ::caf::actor_system::module* {
    return new detail::caf_coordinator{of, *home};
  });
  // Of the calling one alone: it is taken out again, however this ends.
  struct put_back {
    ~put_back() { list.pop_back(); }
    ::caf::actor_system_config::module_factory_vector& list;
  } restored{factories};
  return new ::caf::actor_system{config};
}

void end(::caf::actor_system* system) {
  auto& coordinator = static_cast<detail::caf_coordinator&>(system->scheduler());
  if (system->await_actors_before_shutdown()) coordinator.await_actors();
  system->await_actors_before_shutdown(false);
  coordinator.part();
  delete system;
}

}  // namespace

caf_system::caf_system(::caf::actor_system_config& config) : system_{start(config)} {}

caf_system::caf_system(std::unique_ptr<::caf::actor_system_config> config)
    : config_{std::move(config)}, system_{start(*config_)} {}

caf_system::~caf_system() {
  if (is_ending_) return;
  scheduler* here = scheduler::current();
  if (here == nullptr) {
    end(system_);
  } else {
    here->blocking().submit([system = system_, config = config_] { end(system); });
  }
}

task<> caf_system::shut_down() {
  if (is_ending_) misuse("caf_system::shut_down() was called twice");
  is_ending_ = true;
  auto ended = spawn_blocking([system = system_, config = config_] { end(system); });
  co_await ended;
  system_ = nullptr;
}

::caf::actor_system& caf_system::operator*() const noexcept {
  if (system_ == nullptr) misuse("a caf_system was used after its end: shut_down() comes last");
  return *system_;
}

}  // namespace troupe
