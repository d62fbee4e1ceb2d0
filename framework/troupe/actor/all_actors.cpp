#include <troupe/actor/all_actors.hpp>

#include <memory>
#include <utility>
#include <vector>

#include <troupe/actor/detail/actor_block.hpp>
#include <troupe/task/stop.hpp>

namespace troupe::inline v0_1 {

namespace {

/// Actors to be stopped, one reference each.
class stop_list {
public:
  explicit stop_list(const executor& exec) : actors_{detail::actor_block::all_unsupervised(exec)} {}
  stop_list(stop_list&& other) noexcept : actors_{std::exchange(other.actors_, {})} {}
  stop_list& operator=(stop_list&&) = delete;
  ~stop_list() {
    for (detail::actor_block* each : actors_) each->drop_ref();
  }
  [[nodiscard]] const std::vector<detail::actor_block*>& actors() const noexcept { return actors_; }

private:
  std::vector<detail::actor_block*> actors_;
};

// A message whose handler throws.
struct crash final : detail::envelope {
  explicit crash(std::exception_ptr why) noexcept : envelope{table_of}, error{std::move(why)} {}
  std::exception_ptr error;

  static bool run(detail::actor_block&, detail::envelope& self) {
    std::rethrow_exception(static_cast<crash&>(self).error);
  }
  static void finish(detail::envelope& self, detail::handler_failure) noexcept {
    delete static_cast<crash*>(&self);
  }
  static void drop(detail::envelope& self, ask_errc) noexcept { finish(self, nullptr); }

  static constexpr detail::envelope_table table_of{
      .run = &run, .finish = &finish, .drop = &drop, .message_name = "a crash", .is_plain = true};
};

// The youngest first, each when the one before has ended. When its time is over, all the rest.
task<> stop_in_order(stop_list list) {
  bool waits = true;
  for (detail::actor_block* each : list.actors()) {
    each->stop();
    if (!waits) continue;
    try {
      co_await detail::end_operation{*each};
    } catch (const canceled&) {
      waits = false;
    }
  }
}

}  // namespace

std::size_t stop_all_actors(executor& exec) {
  stop_list list{exec};
  std::size_t found = list.actors().size();
  if (found == 0) return 0;
  detail::start_on(exec, nullptr, std::source_location::current(), &stop_in_order, std::move(list))
      .detach();
  return found;
}

void take_back_actor_tasks(const executor& exec, const std::function<void(job&)>& act) {
  detail::actor_block::take_back_tasks(exec, act);
}

std::vector<actor_sight> look_at_actors(const executor& exec) {
  return detail::actor_block::look_at_all(exec);
}

bool crash_actor(detail::actor_block& seen, std::exception_ptr error) {
  if (!seen.try_add_ref(seen.generation())) return false;
  struct last_step {
    detail::actor_block& seen;
    ~last_step() { seen.drop_ref(); }
  } last{seen};
  auto made = std::make_unique<crash>(std::move(error));
  if (!seen.push_uncounted(*made)) return false;
  (void)made.release();
  return true;
}

std::string name_of_actor(detail::actor_block& seen) { return seen.name_seen(); }

std::optional<actor_turn> turn_of_actor(job& queued) noexcept {
  detail::actor_block* actor = detail::actor_block::of(queued);
  if (actor == nullptr) return std::nullopt;
  return actor_turn{actor, {actor, actor->generation()}, actor->class_name()};
}

bool retire_actor(job& turn) noexcept { return detail::actor_block::retire(turn); }

bool retire_waiting_actors(const executor& exec) noexcept {
  return detail::actor_block::retire_waiting(exec);
}

void put_actors_in_order() { detail::slab<detail::actor_block>::instance().put_in_order(); }

void abandon_all_actors(const executor& exec) noexcept {
  forget_names(exec);
  detail::actor_block::abandon_all(exec);
}

}  // namespace troupe::inline v0_1
