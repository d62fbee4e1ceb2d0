#include <troupe/node/node.hpp>

#include <utility>

#include <troupe/node/detail/node_core.hpp>
#include <troupe/sched/spawn_blocking.hpp>
#include <troupe/task/spawn.hpp>

namespace troupe::inline v0_1 {

task<node> node::start(node_options options) {
  std::shared_ptr<detail::node_core> core;
  if (options.security.tls()) {  // It reads files.
    core = co_await spawn_blocking(
        [&options] { return std::make_shared<detail::node_core>(std::move(options)); });
  } else {
    core = std::make_shared<detail::node_core>(std::move(options));
  }
  core->listen();
  node made{core};
  spawn([core] { return core->run(); });
  co_await core->begun();
  co_return made;
}

node::~node() {
  if (core_ != nullptr) core_->stop();
}

void node::add(std::string name, std::shared_ptr<detail::exported> what) {
  if (!core_->exports().add(name, std::move(what))) {
    throw_error(make_error_code(node_errc::name_taken), name);
  }
}

void node::unpublish(const std::string& name) { core_->exports().remove(name); }

task<remote_node> node::connect(std::string address) {
  std::shared_ptr<detail::client_link> link = core_->link_to(address);
  try {
    co_await link->connected();
  } catch (const system_error& failed) {
    std::string words = failed.what();
    std::string code = failed.code().what();  // It is told anyhow.
    if (words.ends_with(code)) words.resize(words.size() - code.size());
    while (words.ends_with(' ') || words.ends_with(':')) words.pop_back();
    throw_error(failed.code(), "no link to " + address + (words.empty() ? "" : ": ") + words);
  }
  co_return remote_node{std::move(link)};
}

task<> node::shut_down() {
  core_->stop();
  co_await core_->ended();
}

std::uint16_t node::port() const noexcept { return core_->port(); }

const std::string& node::name() const noexcept { return core_->self().hello().name; }

}  // namespace troupe::inline v0_1
