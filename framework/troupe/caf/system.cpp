#include <troupe/caf/system.hpp>

#include <utility>

#include <troupe/base/assert.hpp>
#include <troupe/caf/detail/coordinator.hpp>
#include <troupe/sched/spawn_blocking.hpp>

namespace troupe::inline v0_1 {

namespace detail {

::caf::actor_system& actor_system_of(const caf_system& system) { return *system; }

std::shared_ptr<caf_neighbours> neighbours_of(const caf_system& system) {
  return static_cast<caf_coordinator&>(system->scheduler()).neighbours();
}

}  // namespace detail

namespace {

::caf::actor_system* start(::caf::actor_system_config& config) {
  scheduler* home = scheduler::current();
  if (home == nullptr) misuse("caf_system was made outside a runtime: make it in a task [X03]");
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

detail::caf_coordinator& coordinator_of(::caf::actor_system& system) {
  return static_cast<detail::caf_coordinator&>(system.scheduler());
}

/// The end of a system, as blocking work; one that is dropped comes at once.
class system_end {
public:
  system_end(::caf::actor_system* of, std::shared_ptr<::caf::actor_system_config> config) noexcept
      : config_{std::move(config)}, system_{of} {
    coordinator_of(*of).announce_end();
  }
  system_end(system_end&& other) noexcept
      : config_{std::move(other.config_)}, system_{std::exchange(other.system_, nullptr)} {}
  system_end& operator=(system_end&&) = delete;
  ~system_end() { (*this)(); }

  void operator()() {
    ::caf::actor_system* system = std::exchange(system_, nullptr);
    if (system == nullptr) return;
    if (system->await_actors_before_shutdown()) coordinator_of(*system).await_actors();
    system->await_actors_before_shutdown(false);
    coordinator_of(*system).part();
    delete system;
  }

private:
  std::shared_ptr<::caf::actor_system_config> config_;
  ::caf::actor_system* system_;
};

}  // namespace

caf_system::caf_system(::caf::actor_system_config& config) : system_{start(config)} {}

caf_system::caf_system(std::unique_ptr<::caf::actor_system_config> config)
    : config_{std::move(config)}, system_{start(*config_)} {}

caf_system::~caf_system() {
  if (is_ending_) return;
  scheduler* here = scheduler::current();
  system_end end{system_, config_};
  if (here == nullptr) return;
  auto shared = std::make_shared<system_end>(std::move(end));  // std::function wants a copy.
  here->blocking().submit([shared] { (*shared)(); });
}

task<> caf_system::shut_down() {
  if (is_ending_) misuse("caf_system::shut_down() was called twice: call it once, last [X04]");
  is_ending_ = true;
  auto ended = spawn_blocking(system_end{system_, config_});
  co_await ended;
  system_ = nullptr;
}

::caf::actor_system& caf_system::operator*() const noexcept {
  if (system_ == nullptr)
    misuse("a caf_system was used after its end: shut_down() comes last [X05]");
  return *system_;
}

}  // namespace troupe::inline v0_1
