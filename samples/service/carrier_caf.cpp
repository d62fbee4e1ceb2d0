#include "carrier.hpp"

#include <atomic>
#include <utility>

#include <caf/all.hpp>

#include <troupe/caf/system.hpp>

namespace service {

namespace {

using count = std::shared_ptr<std::atomic<std::uint64_t>>;

// The transport, in plain CAF. The wire is an actor of troupe, which it cannot tell.
caf::behavior transport_actor(caf::event_based_actor* self, const caf::actor& over,
                              const count& answered) {
  return {[=](ping sent) {
    auto answer = self->make_response_promise<round_trip>();
    self->request(over, caf::infinite, sent)
        .then(
            [=](round_trip found) mutable {
              found.is_by_caf = true;
              answered->fetch_add(1);
              answer.deliver(found);
            },
            [=](caf::error& error) mutable { answer.deliver(std::move(error)); });
    return answer;
  }};
}

class caf_carrier final : public carrier {
public:
  explicit caf_carrier(std::uint16_t peer_port) noexcept : peer_port_{peer_port} {}

  troupe::task<troupe::ref<pinging>> open() override {
    troupe::ref<wire> over = co_await dial(peer_port_);
    caf::actor adopted = troupe::to_caf<pinging>(system_, over);
    co_return troupe::from_caf<pinging>(system_,
                                        system_->spawn(transport_actor, adopted, answered_));
  }

  [[nodiscard]] std::optional<std::uint64_t> answered_by_caf() const override {
    return answered_->load();
  }

  troupe::task<> shut_down() override { return system_.shut_down(); }

private:
  const std::uint16_t peer_port_;
  count answered_ = std::make_shared<std::atomic<std::uint64_t>>(0);
  troupe::caf_system system_{std::make_unique<caf::actor_system_config>()};
};

}  // namespace

std::unique_ptr<carrier> make_carrier(std::uint16_t peer_port) {
  return std::make_unique<caf_carrier>(peer_port);
}

}  // namespace service
