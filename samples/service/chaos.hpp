#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <actors/listener.hpp>
#include <troupe/actor/actor.hpp>
#include <troupe/pal/random.hpp>

#include "site.hpp"

namespace service {

/// What chaos kills. The order is that of its summary.
enum class kind { a_listener, a_connection, an_aggregator, a_coordinator, a_transport, count_ };

/// Hands an actor over to chaos.
struct victim {
  kind what;
  troupe::ref<troupe::actors::any_actor> who;
};

/// Chaos begins.
struct unleash {};

/// What chaos has done.
struct havoc {
  std::array<std::uint64_t, static_cast<std::size_t>(kind::count_)> killed{};
  std::uint64_t answered_before = 0;  // Of the load, when the last one was killed.
};

/// Asks for the havoc; nothing is killed after this.
struct calm {
  using reply = havoc;
};

/// Kills its victims at random, as the seed says; each kind has its turn within 13 kills. Of a kind
/// that has nobody at the moment, such as connections between two restarts, nobody is killed.
class chaos final : public troupe::actor {
public:
  explicit chaos(std::shared_ptr<site> at) : at_{std::move(at)}, dice_{at_->wanted.seed} {}

  struct strike {};

  void on(unleash);
  void on(const victim& fresh);
  void on(const troupe::down& ended);
  void on(strike);
  havoc on(calm);

private:
  struct target {
    kind what;
    troupe::actor_id id;
    troupe::weak_ref<troupe::actors::any_actor> who;
  };

  kind draw();

  std::shared_ptr<site> at_;
  troupe::pal::random dice_;
  troupe::actor_timer strikes_;
  std::vector<kind> deck_;  // What is still to be killed in this round.
  std::vector<target> targets_;
  havoc done_;
};

/// Returns: one line about it.
[[nodiscard]] std::string summary(const havoc& done, std::uint64_t answered_count);

}  // namespace service
