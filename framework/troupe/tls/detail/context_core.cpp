#include <troupe/tls/detail/context_core.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>
#include <utility>

#include <openssl/err.h>
#include <openssl/pem.h>

#include <fmt/format.h>

#include <troupe/tls/detail/tls_stream.hpp>

namespace troupe::inline v0_1::tls::detail {

std::string words_of(unsigned long error) {
  if (error == 0) return "no reason given";
  if (ERR_SYSTEM_ERROR(error)) return std::strerror(ERR_GET_REASON(error));
  if (const char* reason = ERR_reason_error_string(error)) return reason;
  return fmt::format("OpenSSL's error {:#x}", error);
}

namespace {

// Where a setting comes from, for messages.
struct setting {
  const char* name;
  const pem& from;
};

[[noreturn]] void refuse(const setting& what, const std::string& why) {
  ERR_clear_error();
  throw system_error{errc::unusable_setting,
                     fmt::format("TLS: {} ({}): {}", what.name,
                                 what.from.is_file() ? what.from.value() : "text", why)};
}

[[noreturn]] void refuse_as_openssl_says(const setting& what) {
  refuse(what, words_of(ERR_peek_last_error()));
}

// The text of a setting, also when OpenSSL would only say that there is none.
std::string text_of(const setting& what) {
  if (!what.from.is_file()) return what.from.value();
  struct closer {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, closer> file{std::fopen(what.from.value().c_str(), "rbe")};
  if (file == nullptr) refuse(what, std::strerror(errno));
  std::string text;
  char part[4096];
  while (std::size_t count = std::fread(part, 1, sizeof part, file.get())) text.append(part, count);
  if (std::ferror(file.get()) != 0) refuse(what, std::strerror(errno));
  return text;
}

bio_ptr reader_of(const std::string& text) {
  bio_ptr made{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
  if (made == nullptr) throw std::bad_alloc{};
  return made;
}

// Calls `use(x509_ptr)` for each certificate of a text.
template <class Use>
void for_each_certificate(const setting& what, Use use) {
  std::string text = text_of(what);
  bio_ptr from = reader_of(text);
  std::size_t count = 0;
  for (;; ++count) {
    x509_ptr each{PEM_read_bio_X509(from.get(), nullptr, nullptr, nullptr)};
    if (each == nullptr) break;
    use(std::move(each));
  }
  // The end of the text shows as a PEM block that does not begin.
  if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) refuse_as_openssl_says(what);
  ERR_clear_error();
  if (count == 0) refuse(what, "holds no PEM certificate");
}

struct password_request {
  const std::string& password;
  bool came = false;
};

// OpenSSL's own would ask on the terminal.
int give_password(char* into, int size, int, void* request) {
  auto& asked = *static_cast<password_request*>(request);
  asked.came = true;
  if (asked.password.empty() || asked.password.size() > static_cast<std::size_t>(size)) return -1;
  std::memcpy(into, asked.password.data(), asked.password.size());
  return static_cast<int>(asked.password.size());
}

key_ptr read_key(const setting& what, const std::string& password) {
  std::string text = text_of(what);
  bio_ptr from = reader_of(text);
  password_request request{password};
  key_ptr key{PEM_read_bio_PrivateKey(from.get(), nullptr, give_password, &request)};
  // OpenSSL only says "unsupported" then.
  bool holds_a_key = text.find("PRIVATE KEY-----") != std::string::npos;
  OPENSSL_cleanse(text.data(), text.size());
  if (key != nullptr) return key;
  if (request.came && password.empty()) refuse(what, "is encrypted: give its key_password");
  if (request.came) refuse(what, "its key_password is wrong");
  if (!holds_a_key) refuse(what, "holds no PEM private key");
  refuse_as_openssl_says(what);
}

void use_identity(SSL_CTX* ctx, const identity& self) {
  setting chain{"certificate_chain", self.certificate_chain};
  setting key_setting{"private_key", self.private_key};
  if (self.certificate_chain.empty()) refuse(chain, "is missing");
  if (self.private_key.empty()) refuse(key_setting, "is missing");
  bool is_first = true;
  for_each_certificate(chain, [&](x509_ptr each) {
    if (std::exchange(is_first, false)) {
      if (SSL_CTX_use_certificate(ctx, each.get()) != 1) refuse_as_openssl_says(chain);
    } else {
      if (SSL_CTX_add0_chain_cert(ctx, each.get()) != 1) refuse_as_openssl_says(chain);
      (void)each.release();
    }
  });
  key_ptr key = read_key(key_setting, self.key_password);
  if (SSL_CTX_use_PrivateKey(ctx, key.get()) != 1 || SSL_CTX_check_private_key(ctx) != 1) {
    refuse(key_setting, "does not belong to the certificate");
  }
}

void trust(SSL_CTX* ctx, const setting& what, bool tell_clients) {
  for_each_certificate(what, [&](x509_ptr each) {
    bool is_taken = X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), each.get()) == 1 &&
                    (!tell_clients || SSL_CTX_add_client_CA(ctx, each.get()) == 1);
    if (!is_taken) refuse_as_openssl_says(what);
  });
}

std::string alpn_on_the_wire(const std::vector<std::string>& names) {
  std::string wire;
  for (const std::string& name : names) {
    if (name.empty() || name.size() > 255) {
      throw system_error{errc::unusable_setting,
                         fmt::format("TLS: alpn: '{}' does not have 1 to 255 bytes", name)};
    }
    wire += static_cast<char>(name.size());
    wire += name;
  }
  return wire;
}

ctx_ptr make_ctx() {
  ctx_ptr made{SSL_CTX_new(TLS_method())};
  if (made == nullptr) throw std::bad_alloc{};
  return made;
}

const unsigned char* bytes_of(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

context_core::context_core(const client_config& config)
    : ctx_{make_ctx()},
      is_server_{false},
      checks_names_{config.verify_peer},
      alpn_{alpn_on_the_wire(config.alpn)} {
  set_common(config.min_version, config.resumption);
  if (config.verify_peer) {
    if (config.trusted.empty()) {
      SSL_CTX_set_default_verify_paths(ctx_.get());
    } else {
      trust(ctx_.get(), {"trusted", config.trusted}, false);
    }
    SSL_CTX_set_verify(ctx_.get(), SSL_VERIFY_PEER, nullptr);
  }
  if (!config.self.certificate_chain.empty() || !config.self.private_key.empty()) {
    use_identity(ctx_.get(), config.self);
  }
  if (!alpn_.empty()) {
    SSL_CTX_set_alpn_protos(ctx_.get(), bytes_of(alpn_), static_cast<unsigned>(alpn_.size()));
  }
  if (config.resumption) {
    SSL_CTX_set_session_cache_mode(ctx_.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx_.get(), tls_stream::on_new_session);
  }
}

context_core::context_core(const server_config& config)
    : ctx_{make_ctx()}, is_server_{true}, alpn_{alpn_on_the_wire(config.alpn)} {
  set_common(config.min_version, config.resumption);
  use_identity(ctx_.get(), config.self);
  if (!config.trusted_clients.empty()) {
    trust(ctx_.get(), {"trusted_clients", config.trusted_clients}, true);
    int must = config.require_client_certificate ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
    SSL_CTX_set_verify(ctx_.get(), SSL_VERIFY_PEER | must, nullptr);
  }
  if (!alpn_.empty()) SSL_CTX_set_alpn_select_cb(ctx_.get(), on_alpn_offer, this);
  // Demanded where clients show certificates. Tickets are tied to the context by its own keys.
  constexpr unsigned char id[] = "troupe";
  SSL_CTX_set_session_id_context(ctx_.get(), id, sizeof id - 1);
}

void context_core::set_common(version least, bool resumption) {
  SSL_CTX* ctx = ctx_.get();
  SSL_CTX_set_min_proto_version(ctx, least == version::tls_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_options(
      ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // Takes a record's header and body, and what comes behind, with one read.
  SSL_CTX_set_read_ahead(ctx, 1);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  if (!resumption) {
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(ctx, 0);
  }
}

int context_core::on_alpn_offer(SSL*, const unsigned char** chosen, unsigned char* chosen_bytes,
                                const unsigned char* offered, unsigned offered_bytes, void* core) {
  const std::string& own = static_cast<context_core*>(core)->alpn_;
  unsigned char* found = nullptr;
  int outcome = SSL_select_next_proto(&found, chosen_bytes, bytes_of(own),
                                      static_cast<unsigned>(own.size()), offered, offered_bytes);
  *chosen = found;
  return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

ssl_ptr context_core::make_ssl() const {
  ssl_ptr made{SSL_new(ctx_.get())};
  if (made == nullptr) throw std::bad_alloc{};
  return made;
}

}  // namespace troupe::inline v0_1::tls::detail
