#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <boost/test/unit_test.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <tls/authority.hpp>

namespace troupe::tls {

/// The other side of a TLS connection, by plain OpenSSL: it gives and takes bytes, and does what no
/// peer of ours would.
class raw_peer {
public:
  enum class role { client, server };

  raw_peer(role as, const papers& own = {}, int version = 0)
      : ctx_{SSL_CTX_new(TLS_method()), SSL_CTX_free} {
    if (version != 0) {
      SSL_CTX_set_min_proto_version(ctx_.get(), version);
      SSL_CTX_set_max_proto_version(ctx_.get(), version);
    }
    if (!own.certificate.empty()) use(own);
    SSL_CTX_set_verify(ctx_.get(), SSL_VERIFY_NONE, nullptr);
    ssl_.reset(SSL_new(ctx_.get()));
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl_.get(), in_, out_);
    if (as == role::client) {
      SSL_set_connect_state(ssl_.get());
      SSL_do_handshake(ssl_.get());
    } else {
      SSL_set_accept_state(ssl_.get());
    }
  }

  [[nodiscard]] SSL* ssl() const { return ssl_.get(); }
  [[nodiscard]] bool is_established() const { return SSL_is_init_finished(ssl_.get()) == 1; }

  /// Takes what the other side has sent. Returns: the data in it.
  std::string take(std::string_view bytes) {
    BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
    std::string data;
    char part[4096];
    for (;;) {
      ERR_clear_error();
      int count = SSL_read(ssl_.get(), part, sizeof part);
      if (count <= 0) return data;
      data.append(part, static_cast<std::size_t>(count));
    }
  }
  /// Returns: what it has to send.
  std::string give() {
    char* begin = nullptr;
    long size = BIO_get_mem_data(out_, &begin);
    std::string bytes{begin, static_cast<std::size_t>(size)};
    (void)BIO_reset(out_);
    return bytes;
  }
  /// Returns: `data` in one record.
  std::string record(std::string_view data) {
    BOOST_REQUIRE(SSL_write(ssl_.get(), data.data(), static_cast<int>(data.size())) ==
                  static_cast<int>(data.size()));
    return give();
  }
  /// Returns: its end.
  std::string goodbye() {
    SSL_shutdown(ssl_.get());
    return give();
  }
  /// Whether the other side has sent its end.
  [[nodiscard]] bool heard_goodbye() const {
    return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
  }

private:
  void use(const papers& own) {
    std::unique_ptr<BIO, int (*)(BIO*)> from{
        BIO_new_mem_buf(own.certificate.data(), static_cast<int>(own.certificate.size())),
        BIO_free};
    X509* certificate = PEM_read_bio_X509(from.get(), nullptr, nullptr, nullptr);
    SSL_CTX_use_certificate(ctx_.get(), certificate);
    X509_free(certificate);
    from.reset(BIO_new_mem_buf(own.key.data(), static_cast<int>(own.key.size())));
    EVP_PKEY* key = PEM_read_bio_PrivateKey(from.get(), nullptr, nullptr, nullptr);
    SSL_CTX_use_PrivateKey(ctx_.get(), key);
    EVP_PKEY_free(key);
  }

  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> ctx_;
  std::unique_ptr<SSL, void (*)(SSL*)> ssl_{nullptr, SSL_free};
  BIO* in_ = nullptr;
  BIO* out_ = nullptr;
};

}  // namespace troupe::tls
