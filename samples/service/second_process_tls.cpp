#include "second_process.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include <fmt/core.h>

#include <troupe/actor/supervisor.hpp>
#include <troupe/node/node.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/shield.hpp>

#include "../child.hpp"

namespace service {

namespace {

using namespace std::chrono_literals;

/// How many pings CAF actors have answered so far; nothing without CAF.
struct ask_answered_by_caf {
  using reply = std::optional<std::uint64_t>;
};
using far_transport = troupe::protocol<round_trip(ping), ask_answered_by_caf>;

// --- the first process ---

class node_carrier final : public carrier {
public:
  node_carrier(samples::child process, troupe::node here, troupe::remote_node there) noexcept
      : process_{std::move(process)}, here_{std::move(here)}, there_{std::move(there)} {}

  troupe::task<troupe::ref<pinging>> open() override {
    auto found = co_await there_.find<pinging>("transport");
    co_return found;
  }

  [[nodiscard]] std::optional<std::uint64_t> answered_by_caf() const override { return answered_; }

  troupe::task<> shut_down() override {
    auto found = co_await there_.find<far_transport>("transport");
    answered_ = co_await found.ask(ask_answered_by_caf{});
    co_await process_.stop();
    co_await here_.shut_down();
  }

private:
  samples::child process_;
  troupe::node here_;
  troupe::remote_node there_;
  std::optional<std::uint64_t> answered_;
};

samples::child start_process(std::uint16_t peer_port) {
  return {"second process", {"--transport-to", std::to_string(peer_port)}};
}

// --- the second one ---

// The name stands for it also after it was killed, so that the next one that looks finds it.
class transport_of_all final : public troupe::actor {
public:
  explicit transport_of_all(std::shared_ptr<carrier> by) noexcept : by_{std::move(by)} {}

  troupe::task<> on(ping m, troupe::reply<round_trip> back) {
    try {
      if (!open_) {
        troupe::ref<pinging> fresh = co_await by_->open();
        open_.emplace(std::move(fresh));
      }
      round_trip found = co_await open_->serve(m);
      back.answer(found);
    } catch (const troupe::system_error& error) {
      open_.reset();
      back.fail(troupe::ask_errc::receiver_failed, error.what());
    }
  }
  [[nodiscard]] std::optional<std::uint64_t> on(ask_answered_by_caf) const {
    return by_->answered_by_caf();
  }

private:
  std::shared_ptr<carrier> by_;
  std::optional<transport> open_;
};

}  // namespace

troupe::task<std::shared_ptr<carrier>> start_second_process(std::uint16_t peer_port) {
  samples::child process = start_process(peer_port);
  std::string address = co_await process.line("listening on ");
  troupe::node_options options;
  options.name = "service";
  troupe::node here = co_await troupe::node::start(options);
  troupe::remote_node there = co_await here.connect(address);
  fmt::print("the transport is at node {}, process {}\n", there.name(), process.id());
  co_return std::make_shared<node_carrier>(std::move(process), std::move(here), std::move(there));
}

troupe::task<int> run_second_process(std::uint16_t peer_port) {
  std::shared_ptr<carrier> by = make_carrier(peer_port);
  constexpr troupe::supervision lenient{.max_restarts = 1000, .max_delay = 50ms};
  auto root = troupe::spawn<troupe::supervisor>(lenient);
  troupe::child_options named{{.name = "transport"}};
  auto made = troupe::spawn_child<transport_of_all>(root, std::move(named), by);
  troupe::node_options options;
  options.name = "transport";
  options.listen_on = "127.0.0.1:0";
  troupe::node here = co_await troupe::node::start(options);
  here.publish<far_transport>("transport", made);
  fmt::print("listening on 127.0.0.1:{}\n", here.port());
  troupe::event never;
  try {
    co_await never.wait();
  } catch (const troupe::canceled&) {
    // SIGTERM.
  }
  root.stop();
  co_await troupe::shield([](troupe::node& here_too, troupe::ref<troupe::supervisor> all,
                             std::shared_ptr<carrier> given) -> troupe::task<> {
    co_await all.ended();
    co_await here_too.shut_down();
    co_await given->shut_down();
  }(here, root, by));
  if (auto answered = by->answered_by_caf()) fmt::print("CAF has answered {} pings\n", *answered);
  co_return 0;
}

}  // namespace service
