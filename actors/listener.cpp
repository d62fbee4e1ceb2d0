#include <actors/listener.hpp>

#include <exception>
#include <string>
#include <utility>
#include <vector>

#include <troupe/base/assert.hpp>
#include <troupe/base/log.hpp>
#include <troupe/task/stop.hpp>

namespace troupe::inline v0_1::actors {

listener::listener(io::listener source, make_connection make, listener_options options)
    : listener{std::make_shared<io::listener>(std::move(source)), std::move(make),
               std::move(options)} {}

listener::listener(std::shared_ptr<io::listener> source, make_connection make,
                   listener_options options)
    : source_{std::move(source)}, make_{std::move(make)}, options_{std::move(options)} {
  if (options_.max_connections == 0)
    misuse("listener_options: max_connections must be 1 or more [A18]");
}

void listener::on_start() {
  alive_ = self(this).address();
  begin_accepting();
}

void listener::on(const down& ended) {
  if (ended.restarts) return;
  open_.erase(ended.who);
  if (source_ == nullptr && open_.empty()) self().stop();
  begin_accepting();
}

task<> listener::on_stop() {
  source_.reset();
  std::vector<ref<any_actor>> left;
  for (const auto& [id, connection] : open_) {
    if (auto living = connection.lock()) left.push_back(std::move(*living));
  }
  for (const auto& each : left) each.stop();
  for (const auto& each : left) co_await each.ended();
}

void listener::begin_accepting() {
  if (is_accepting_ || source_ == nullptr) return;
  is_accepting_ = true;
  self().spawn([this] { return accept(); });
}

task<> listener::accept() {
  try {
    while (open_.size() < options_.max_connections) {
      auto accepted = co_await source_->accept().as_result();
      if (accepted) {
        take_on(std::move(*accepted));
      } else {
        report(accepted.error());
      }
    }
    is_accepting_ = false;
  } catch (const canceled&) {
    if (stop_requested()) throw;
    source_.reset();
    if (open_.empty()) self().stop();
  }
}

void listener::take_on(io::stream peer) {
  try {
    ref<any_actor> made = make_(std::move(peer));
    self(this).monitor(made);
    open_.emplace(made.id(), weak_ref<any_actor>{made});
  } catch (const std::exception& error) {
    log(log_level::warning, std::string{"a connection could not be made: "} + error.what());
  }
}

void listener::report(boost::system::error_code error) const {
  if (options_.on_error) return options_.on_error(error);
  log(log_level::warning, "a connection could not be accepted: " + error.message());
}

}  // namespace troupe::inline v0_1::actors
