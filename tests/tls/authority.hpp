#pragma once

#include <chrono>
#include <memory>
#include <string>

#include <boost/test/unit_test.hpp>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace troupe::tls {

/// A certificate and its key as PEM texts.
struct papers {
  std::string certificate;
  std::string key;
};

/// Makes certificates while a test runs, so that none lies in the repository and expires there.
class authority {
public:
  /// What a certificate says.
  struct wish {
    std::string name = "server.test";
    std::string names = "DNS:server.test,IP:127.0.0.1";  // The subject alternative names.
    std::chrono::hours begins{-24};                      // From now.
    std::chrono::hours ends{24};
  };

  explicit authority(const std::string& name = "authority.test")
      : key_{fresh_key()}, certificate_{make(name, *key_, {}, nullptr)} {}

  [[nodiscard]] std::string certificate() const { return text_of(*certificate_); }

  [[nodiscard]] papers issue(const wish& wanted) const {
    key_ptr key = fresh_key();
    return {text_of(*make(wanted.name, *key, wanted, this)), text_of(*key)};
  }
  [[nodiscard]] papers issue() const { return issue(wish{}); }
  [[nodiscard]] papers issue_to(const std::string& name) const {
    wish wanted;
    wanted.name = name;
    wanted.names = "DNS:" + name;
    return issue(wanted);
  }
  /// A certificate that signs itself.
  [[nodiscard]] static papers self_signed() {
    key_ptr key = fresh_key();
    return {text_of(*make("server.test", *key, wish{}, nullptr)), text_of(*key)};
  }
  [[nodiscard]] static std::string encrypted(const papers& of, std::string password) {
    bio_ptr from{BIO_new_mem_buf(of.key.data(), static_cast<int>(of.key.size())), BIO_free};
    key_ptr key{PEM_read_bio_PrivateKey(from.get(), nullptr, nullptr, nullptr), EVP_PKEY_free};
    bio_ptr to{BIO_new(BIO_s_mem()), BIO_free};
    BOOST_REQUIRE(PEM_write_bio_PrivateKey(to.get(), key.get(), EVP_aes_128_cbc(), nullptr, 0,
                                           nullptr, password.data()) == 1);
    return content(*to);
  }

private:
  using bio_ptr = std::unique_ptr<BIO, int (*)(BIO*)>;
  using key_ptr = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;
  using x509_ptr = std::unique_ptr<X509, void (*)(X509*)>;

  static key_ptr fresh_key() { return {EVP_EC_gen("P-256"), EVP_PKEY_free}; }

  static void extend(X509& to, X509V3_CTX& with, int kind, const std::string& value) {
    X509_EXTENSION* made = X509V3_EXT_conf_nid(nullptr, &with, kind, value.c_str());
    BOOST_REQUIRE(made != nullptr);
    X509_add_ext(&to, made, -1);
    X509_EXTENSION_free(made);
  }

  // Without an issuer it signs itself; without names it may sign others.
  static x509_ptr make(const std::string& name, EVP_PKEY& key, const wish& wanted,
                       const authority* issuer) {
    static long serial = 1;
    x509_ptr made{X509_new(), X509_free};
    X509_set_version(made.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), serial++);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), std::chrono::seconds{wanted.begins}.count());
    X509_gmtime_adj(X509_getm_notAfter(made.get()), std::chrono::seconds{wanted.ends}.count());
    X509_set_pubkey(made.get(), &key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509* signer = issuer != nullptr ? issuer->certificate_.get() : made.get();
    X509_set_issuer_name(made.get(), X509_get_subject_name(signer));
    X509V3_CTX with;
    X509V3_set_ctx(&with, signer, made.get(), nullptr, nullptr, 0);
    bool is_authority = name.starts_with("authority");
    extend(*made, with, NID_basic_constraints, is_authority ? "critical,CA:TRUE" : "CA:FALSE");
    extend(*made, with, NID_subject_key_identifier, "hash");
    if (!is_authority) extend(*made, with, NID_subject_alt_name, wanted.names);
    EVP_PKEY* signing = issuer != nullptr ? issuer->key_.get() : &key;
    BOOST_REQUIRE(X509_sign(made.get(), signing, EVP_sha256()) != 0);
    return made;
  }

  static std::string content(BIO& of) {
    char* begin = nullptr;
    long size = BIO_get_mem_data(&of, &begin);
    return {begin, static_cast<std::size_t>(size)};
  }
  static std::string text_of(X509& certificate) {
    bio_ptr to{BIO_new(BIO_s_mem()), BIO_free};
    BOOST_REQUIRE(PEM_write_bio_X509(to.get(), &certificate) == 1);
    return content(*to);
  }
  static std::string text_of(EVP_PKEY& key) {
    bio_ptr to{BIO_new(BIO_s_mem()), BIO_free};
    BOOST_REQUIRE(PEM_write_bio_PrivateKey(to.get(), &key, nullptr, nullptr, 0, nullptr, nullptr) ==
                  1);
    return content(*to);
  }

  key_ptr key_;
  x509_ptr certificate_;
};

}  // namespace troupe::tls
