#include <troupe/node/detail/node_core.hpp>

#include <utility>

#include <fmt/format.h>

#include <troupe/base/log.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/task/select.hpp>

namespace troupe::inline v0_1::detail {

node_core::node_core(node_options&& options)
    : self_{std::make_shared<const node_self>(std::move(options))} {}

void node_core::listen() {
  if (self_->options().listen_on.empty()) return;
  listener_.emplace(self_->listen());
  port_ = listener_->port();
}

task<> node_core::run() {
  try {
    co_await scope([this](scope_handle tasks) { return work(tasks); });
  } catch (...) {
    ended_.set();
    throw;
  }
  ended_.set();
}

task<> node_core::work(scope_handle tasks) {
  {
    pal::lock guard{mutex_};
    tasks_ = tasks;
  }
  begun_.set();
  co_await select(accept(), stopping_.wait());
  close_all();
}

void node_core::close_all() {
  std::vector<std::shared_ptr<client_link>> clients;
  std::vector<std::shared_ptr<server_link>> servers;
  {
    pal::lock guard{mutex_};
    tasks_.reset();
    clients = client_links_;
    servers = server_links_;
  }
  if (listener_) listener_->close();
  std::string words = make_error_code(node_errc::stopped).message();
  for (auto& each : clients) each->close(words);
  for (auto& each : servers) each->close(words);
  exports_.clear();
}

// --- those that connect ---

// The links outlive the end of intake, by which a graceful stop begins.
task<> node_core::accept() {
  try {
    if (listener_) co_await let_all_in();
  } catch (const canceled&) {
    // Of this task, or of intake alone: then it waits.
  }
  co_await stopping_.wait();
}

task<> node_core::let_all_in() {
  for (;;) {
    auto peer = co_await listener_->accept().as_result();
    if (!peer) {
      log(log_level::warning,
          fmt::format("{} could not accept: {}", self_->hello().name, peer.error().message()));
      continue;
    }
    pal::lock guard{mutex_};
    ++let_in_;
    tasks_->spawn([self = shared_from_this(), taken = std::move(*peer)]() mutable {
      return self->let_in(std::move(taken));
    });
  }
}

task<> node_core::let_in(io::stream accepted) {
  std::string from = accepted.peer_address();
  struct on_leave {
    ~on_leave() {
      pal::lock guard{of.mutex_};
      --of.let_in_;
    }
    node_core& of;
  } counted{*this};
  try {
    co_await serve(std::move(accepted));
  } catch (const std::exception& ended) {
    log(log_level::info,
        fmt::format("{}: the link from {} has ended: {}", self_->hello().name, from, ended.what()));
  }
}

task<> node_core::serve(io::stream accepted) {
  const node_options& limits = self_->options();
  io::stream peer = co_await timeout(limits.handshake_limit, self_->secure(std::move(accepted)));
  std::string objection = objection_to(peer);
  if (!objection.empty()) {
    try {
      co_await timeout(limits.handshake_limit, turn_away(peer, objection));
    } catch (const system_error&) {
      // It did not wait for the word. What ends the link is the objection all the same.
    }
    throw_error(make_error_code(node_errc::refused), objection);
  }
  hello_frame theirs = co_await timeout(limits.handshake_limit, greet(peer, self_->hello()));
  auto link = std::make_shared<server_link>(self_, std::move(peer), theirs.name, exports_);
  {
    pal::lock guard{mutex_};
    if (!tasks_) co_return;
    server_links_.push_back(link);
  }
  struct on_leave {
    ~on_leave() {
      pal::lock guard{of.mutex_};
      std::erase(of.server_links_, link);
    }
    node_core& of;
    const std::shared_ptr<server_link>& link;
  } listed{*this, link};
  co_await link->run();
}

// Returns: why a connection is to become no link; empty when it may.
std::string node_core::objection_to(const io::stream& peer) {
  std::string unknown = self_->objection_to(peer);
  if (!unknown.empty()) return unknown;
  std::size_t max_links = self_->options().max_links;
  pal::lock guard{mutex_};
  if (let_in_ <= max_links) return {};
  return fmt::format("{} has {} links, and no more may be", self_->hello().name, max_links);
}

// --- those that are connected to ---

std::shared_ptr<client_link> node_core::link_to(const std::string& address) {
  pal::lock guard{mutex_};
  if (auto known = users_[address].lock(); known != nullptr && !known->has_failed()) return known;
  if (!tasks_) throw_error(make_error_code(node_errc::stopped));
  auto made = std::make_shared<client_link>(self_, address);
  // It lives as long as its users do, and this task until its end.
  std::shared_ptr<client_link> user{
      made.get(), [made](client_link*) { made->close("nobody uses it any more"); }};
  users_[address] = user;
  client_links_.push_back(made);
  tasks_->spawn([self = shared_from_this(), made] { return self->keep(made); });
  return user;
}

task<> node_core::keep(std::shared_ptr<client_link> link) {
  struct on_leave {
    ~on_leave() {
      pal::lock guard{of.mutex_};
      std::erase(of.client_links_, link);
      auto found = of.users_.find(link->address());
      if (found != of.users_.end() && found->second.expired()) of.users_.erase(found);
    }
    node_core& of;
    const std::shared_ptr<client_link>& link;
  } listed{*this, link};
  co_await link->run();
}

}  // namespace troupe::inline v0_1::detail
