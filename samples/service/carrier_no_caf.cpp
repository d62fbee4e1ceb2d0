#include "carrier.hpp"

namespace service {

namespace {

class plain_carrier final : public carrier {
public:
  explicit plain_carrier(std::uint16_t peer_port) noexcept : peer_port_{peer_port} {}

  troupe::task<troupe::ref<pinging>> open() override {
    troupe::ref<wire> made = co_await dial(peer_port_);
    co_return made;
  }
  [[nodiscard]] std::optional<std::uint64_t> answered_by_caf() const override {
    return std::nullopt;
  }
  troupe::task<> shut_down() override { co_return; }

private:
  const std::uint16_t peer_port_;
};

}  // namespace

std::unique_ptr<carrier> make_carrier(std::uint16_t peer_port) {
  return std::make_unique<plain_carrier>(peer_port);
}

}  // namespace service
