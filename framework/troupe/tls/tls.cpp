#include <troupe/tls/tls.hpp>

#include <utility>

#include <fmt/format.h>

#include <troupe/io/wait_count.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/task/operation.hpp>
#include <troupe/tls/detail/tls_stream.hpp>

namespace troupe::inline v0_1::tls {

namespace {

class handshake_operation final : public troupe::detail::fallible_operation<handshake_operation> {
public:
  static constexpr const char* name = "a TLS handshake";

  explicit handshake_operation(detail::tls_stream& device) noexcept : device_{&device} {}

  bool poll() noexcept {
    outcome_ = device_->try_handshake();
    return outcome_.has_value();
  }
  bool enlist(waker key) noexcept { return count_.begin(device_->enlist_read(key)); }
  void delist() noexcept {
    if (count_.end()) device_->delist_read();
  }
  result<void> take() { return std::move(*outcome_); }

private:
  detail::tls_stream* device_;
  io::attempt<void> outcome_;
  io::wait_count count_;
};

// `with` names the peer.
task<io::stream> shake_hands(detail::tls_stream& device, duration limit, std::string with) {
  io::stream made{io::stream_device_ptr{&device}};
  handshake_operation handshake{device};
  result<void> outcome = co_await timeout(limit, std::move(handshake)).as_result();
  if (outcome.has_error()) {
    std::string text = fmt::format("TLS handshake with {}", with);
    std::string problem = device.problem();
    if (!problem.empty()) text += ": " + problem;
    throw system_error{outcome.error(), text};
  }
  co_return made;
}

}  // namespace

task<io::stream> connect(io::stream below, context with, std::string host,
                         connect_options options) {
  if (with.core()->is_server()) {
    misuse("tls::connect() was given the context of a server: make one of a client_config [X01]");
  }
  auto& device = detail::tls_stream::make(std::move(below), with.core(), host);
  co_return co_await shake_hands(device, options.handshake_limit, std::move(host));
}

task<io::stream> accept(io::stream below, context with, accept_options options) {
  if (!with.core()->is_server()) {
    misuse("tls::accept() was given the context of a client: make one of a server_config [X02]");
  }
  std::string peer = below.peer_address();
  auto& device = detail::tls_stream::make(std::move(below), with.core(), {});
  co_return co_await shake_hands(device, options.handshake_limit, std::move(peer));
}

std::optional<info> info_of(const io::stream& of) {
  auto* device = dynamic_cast<detail::tls_stream*>(&of.device());
  if (device == nullptr) return std::nullopt;
  return device->agreed();
}

}  // namespace troupe::inline v0_1::tls
