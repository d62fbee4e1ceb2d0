#pragma once

#include <memory>
#include <string>
#include <vector>

#include <troupe/tls/errors.hpp>

namespace troupe::inline v0_1::tls {

namespace detail {
class context_core;
}

/// A PEM text, or the file that holds it.
class pem {
public:
  pem() = default;
  [[nodiscard]] static pem file(std::string path) { return pem{std::move(path), true}; }
  [[nodiscard]] static pem text(std::string text) { return pem{std::move(text), false}; }

  [[nodiscard]] bool empty() const noexcept { return value_.empty(); }
  [[nodiscard]] bool is_file() const noexcept { return is_file_; }
  [[nodiscard]] const std::string& value() const noexcept { return value_; }

private:
  pem(std::string value, bool is_file) : value_{std::move(value)}, is_file_{is_file} {}

  std::string value_;
  bool is_file_ = false;
};

enum class version { tls_1_2, tls_1_3 };

/// Who one is: a certificate with those above it, and its private key.
struct identity {
  pem certificate_chain;     ///< The own certificate first, then what signed it, without the root.
  pem private_key;           ///< Of the first certificate.
  std::string key_password;  ///< Where the key is encrypted.
};

struct client_config {
  /// Whom to trust; nothing: the roots of the system.
  pem trusted;
  /// Off, anybody can pose as the server: for tests only.
  bool verify_peer = true;
  identity self;  ///< For servers that ask for a certificate.
  version min_version = version::tls_1_2;
  std::vector<std::string> alpn;  ///< The protocols spoken over TLS, the preferred one first.
  bool resumption = true;         ///< Later connections to the same host save a part of the work.
};

struct server_config {
  identity self;
  /// Whom to trust in clients; nothing: clients are not asked for a certificate.
  pem trusted_clients;
  /// Without one a client is refused; off, it is let in, and info_of() tells.
  bool require_client_certificate = true;
  version min_version = version::tls_1_2;
  std::vector<std::string> alpn;  ///< The preferred one first. A client with none of them: refused.
  bool resumption = true;
};

/// What many connections have in common: certificates, keys, whom to trust, sessions to resume.
/// Made once, never changed; a copy is another handle of the same.
///
/// Renegotiation and compression are off, whatever the configuration.
///
/// Errors:  system_error with errc::unusable_setting, whose text names the setting, its file and
///          the reason.
/// Threads: any. Files are read while it is made: on a worker, use spawn_blocking().
/// Bounds:  with resumption a client keeps the last session of each of up to 256 hosts; a server
///          keeps nothing, since its clients do (tickets).
/// Example:
///     tls::server_config config;
///     config.self.certificate_chain = tls::pem::file("server.pem");
///     config.self.private_key = tls::pem::file("server.key");
///     tls::context context{config};
class context {
public:
  explicit context(const client_config& config);
  explicit context(const server_config& config);

  /// What connections are made with; for the library.
  [[nodiscard]] const std::shared_ptr<detail::context_core>& core() const noexcept { return core_; }

private:
  std::shared_ptr<detail::context_core> core_;
};

}  // namespace troupe::inline v0_1::tls
