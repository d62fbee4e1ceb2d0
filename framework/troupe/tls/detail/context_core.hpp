#pragma once

#include <string>

#include <troupe/tls/context.hpp>
#include <troupe/tls/detail/openssl.hpp>
#include <troupe/tls/detail/session_cache.hpp>

namespace troupe::inline v0_1::tls::detail {

/// What a tls::context is a handle of.
class context_core {
public:
  explicit context_core(const client_config& config);
  explicit context_core(const server_config& config);
  context_core(const context_core&) = delete;
  context_core& operator=(const context_core&) = delete;

  [[nodiscard]] bool is_server() const noexcept { return is_server_; }
  [[nodiscard]] bool checks_names() const noexcept { return checks_names_; }
  [[nodiscard]] session_cache& sessions() noexcept { return sessions_; }

  /// Returns: a fresh connection's engine. Errors: std::bad_alloc.
  [[nodiscard]] ssl_ptr make_ssl() const;

private:
  void set_common(version least, bool resumption);
  static int on_alpn_offer(SSL* ssl, const unsigned char** chosen, unsigned char* chosen_bytes,
                           const unsigned char* offered, unsigned offered_bytes, void* core);

  ctx_ptr ctx_;
  bool is_server_;
  bool checks_names_ = false;
  std::string alpn_;  // As on the wire: each name after its length.
  session_cache sessions_;
};

}  // namespace troupe::inline v0_1::tls::detail
