#include <troupe/sim/node.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include <troupe/actor/all_actors.hpp>
#include <troupe/base/assert.hpp>
#include <troupe/sim/detail/agenda.hpp>
#include <troupe/sim/detail/allocation_faults.hpp>
#include <troupe/sim/detail/history.hpp>
#include <troupe/sim/detail/network_driver.hpp>
#include <troupe/sim/detail/node_seam.hpp>
#include <troupe/sim/detail/process.hpp>
#include <troupe/sim/detail/program.hpp>
#include <troupe/sim/world.hpp>
#include <troupe/task/failure.hpp>

namespace troupe::inline v0_1::sim {

namespace {

constexpr std::chrono::hours patience{24};

}  // namespace

node::node(world& of, const sim::host& where, std::size_t number, std::string name,
           runtime_config config)
    : world_{of},
      number_{number},
      name_{std::move(name)},
      host_{where},
      config_{std::move(config)},
      seam_{std::make_unique<detail::node_seam>(*of.history_, of.agenda_->clock(), number, name_)} {
}

node::~node() { shut(); }

void node::boot() {
  runtime_config config = config_;
  config.workers = 1;
  config.caller_driven = true;
  config.clock = &world_.agenda_->clock();
  config.seed = world_.node_seeds_.next();
  config.simulated = seam_.get();
  if (process_ != nullptr && process_->where().is_down) world_.network().power_on(host_);
  process_ = world_.network().make_process(host_);
  config.make_driver = [this] {
    auto made = std::make_unique<detail::network_driver>(process_);
    driver_ = made.get();
    return made;
  };
  exit_code_.reset();
  runtime_ = std::make_unique<runtime>(std::move(config));
}

// Its sockets are closed as the kernel does it, not by the destructors of what is left.
void node::shut() noexcept {
  if (!is_up()) return;
  troupe::detail::no_last_words dying;
  if (process_ != nullptr) process_->die(detail::death::closes);
  runtime_->stop_now();
  // What blocking work and main's frame end with still finds its scheduler.
  seam_->threads.end_all();
  program_.reset();
  runtime_.reset();
  driver_ = nullptr;
  seam_->turns.forget_all();
}

void node::kill() {
  if (!is_up()) return;
  if (scheduler::current() != nullptr) return world_.after(duration::zero(), [this] { kill(); });
  world_.agenda_->note(fmt::format("{} is killed", name_));
  shut();
}

void node::cut_power() {
  if (!is_up()) return;
  if (scheduler::current() != nullptr) {
    return world_.after(duration::zero(), [this] { cut_power(); });
  }
  world_.network().power_off(host_);
  process_->die(detail::death::is_mute);
  shut();
}

void node::terminate() {
  if (!program_)
    misuse("node::terminate() was called where no program runs: start() one first [X11]");
  world_.agenda_->note(fmt::format("{} is asked to stop", name_));
  program_->stop(config_.shutdown_budget);
  driver_->interrupt();
}

void node::start_program(std::function<task<int>()> main) {
  if (program_)
    misuse("node::start() was called while a program runs there: kill() it first [X12]");
  main_ = std::move(main);
  if (!is_up()) boot();
  world_.agenda_->note(fmt::format("a program starts on {}", name_));
  program_ = std::make_unique<detail::program>(runtime_->scheduler(), main_);
}

void node::restart() {
  if (!main_)
    misuse("node::restart() was called where no program has run: start() one first [X13]");
  auto main = std::move(main_);
  start_program(std::move(main));
}

runtime& node::rt() {
  if (!is_up())
    misuse("a node that is down was used: start() or restart() a program there first [X14]");
  return *runtime_;
}

std::optional<time_point> node::next_due() const noexcept {
  if (!is_up()) return std::nullopt;
  std::optional<time_point> next = runtime_->scheduler().next_due();
  if (program_) {
    auto deadline = program_->next_deadline();
    if (deadline && (!next || *deadline < *next)) next = deadline;
  }
  return next;
}

bool node::is_ready() const noexcept {
  if (!is_up()) return false;
  if (driver_->is_ready()) return true;
  auto next = next_due();
  return next && *next <= world_.agenda_->now();
}

bool node::poll() {
  bool has_run = false;
  {
    detail::allocation_faults::turn turn{*world_.faults_};
    has_run = runtime_->poll(1) != 0;
  }
  seam_->turns.end_turn(runtime_->scheduler().look_at(0).handles);
  auto deadline = program_ ? program_->next_deadline() : std::nullopt;
  if (has_run) {
    driver_->interrupt();  // There may be more.
  } else {
    driver_->rest();
  }
  if (!has_run || (deadline && *deadline <= world_.agenda_->now())) look_up();
  return has_run;
}

bool node::has_blocking_work() const noexcept { return is_up() && seam_->threads.has_ready(); }

void node::run_blocking_work() {
  detail::history& log = *world_.history_;
  log.begin_step();
  log.mix(number_);
  if (log.keeps_lines()) log.add_line(world_.agenda_->now(), name_, "blocking work");
  seam_->threads.run_one(world_.order_);
  driver_->interrupt();  // It may have been the last that its program waited for.
}

bool node::crash_one() {
  auto actors = look_at_actors(runtime_->scheduler());
  if (actors.empty()) return false;
  const actor_sight& chosen = actors[world_.numbers_.below(actors.size())];
  world_.agenda_->note(fmt::format("{} of {} crashes", chosen.name, name_));
  return crash_actor(*chosen.block, std::make_exception_ptr(injected_crash{}));
}

void node::look_up() {
  if (!program_) return;
  auto code = program_->look_up();
  if (!code) return;
  world_.agenda_->note(fmt::format("the program on {} ends with {}", name_, *code));
  shut();
  exit_code_ = *code;
}

void node::run_until_done(const troupe::detail::task_core& core) {
  time_point until = world_.agenda_->now() + patience;
  bool goes_on = true;
  while (!core.done() && goes_on) {
    goes_on = is_up() && world_.agenda_->now() <= until && world_.step();
  }
  if (core.done()) return;
  throw stuck{fmt::format("a task of {} does not end: {}", name_,
                          is_up() ? runtime_->dump() : "the node is down")};
}

}  // namespace troupe::inline v0_1::sim
