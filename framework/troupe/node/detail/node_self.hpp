#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <troupe/io/listener.hpp>
#include <troupe/io/stream.hpp>
#include <troupe/node/detail/frames.hpp>
#include <troupe/node/options.hpp>
#include <troupe/task/task.hpp>
#include <troupe/tls/context.hpp>

namespace troupe::inline v0_1::detail {

/// A host and a port, as in `example.org:7000` and `[::1]:7000`.
struct node_address {
  std::string host;
  std::uint16_t port = 0;

  /// Errors: system_error of invalid_argument, whose text has the address.
  static node_address parse(const std::string& text);
};

/// What all links of a node share: who it is, and how it connects. Does not change.
class node_self {
public:
  /// Reads the files of `options.security`. Errors: system_error of tls::errc::unusable_setting.
  explicit node_self(node_options&& options);

  /// Errors: system_error of the system and of TLS; node_errc::unsafe_address.
  [[nodiscard]] task<io::stream> connect(const node_address& to) const;
  [[nodiscard]] io::listener listen() const;
  /// What comes before the handshake of nodes. Errors: system_error of tls::errc.
  [[nodiscard]] task<io::stream> secure(io::stream accepted) const;
  /// Returns: why who has connected may not; empty when he may.
  [[nodiscard]] std::string objection_to(const io::stream& secured) const;

  [[nodiscard]] const node_options& options() const noexcept { return options_; }
  [[nodiscard]] const hello_frame& hello() const noexcept { return hello_; }

private:
  void check_safety(const std::string& host) const;

  const node_options options_;
  hello_frame hello_;
  std::optional<tls::context> client_tls_;
  std::optional<tls::context> server_tls_;
};

}  // namespace troupe::inline v0_1::detail
