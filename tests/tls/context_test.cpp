#include <filesystem>
#include <fstream>

#include <boost/test/unit_test.hpp>

#include <tls/secure.hpp>

namespace troupe::tls {

namespace {

struct fixture {
  authority trusted;
  papers own = trusted.issue();
};

template <class Config>
std::string refusal_of(const Config& config) {
  try {
    context made{config};
  } catch (const system_error& error) {
    BOOST_TEST((error.code() == errc::unusable_setting));
    return error.what();
  }
  BOOST_FAIL("the context was made");
  return {};
}

bool begins(const std::string& text, std::string_view with) {
  BOOST_TEST_MESSAGE(text);
  return text.starts_with(with);
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(context_, fixture)

BOOST_AUTO_TEST_CASE(a_file_that_is_not_there_is_named_with_the_reason) {
  server_config config = serving(own);
  config.self.certificate_chain = pem::file("no/such/file.pem");
  BOOST_TEST(begins(refusal_of(config),
                    "TLS: certificate_chain (no/such/file.pem): No such file or directory"));
  config = serving(own);
  config.self.private_key = pem::file(std::filesystem::temp_directory_path());
  BOOST_TEST(refusal_of(config).find("): Is a directory") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_is_missing_or_no_pem_is_named) {
  server_config config;
  BOOST_TEST(begins(refusal_of(config), "TLS: certificate_chain (text): is missing"));
  config = serving(own);
  config.self.private_key = pem{};
  BOOST_TEST(begins(refusal_of(config), "TLS: private_key (text): is missing"));
  config.self.private_key = pem::text("hello");
  BOOST_TEST(begins(refusal_of(config), "TLS: private_key (text): holds no PEM private key"));
  config = serving(own);
  config.self.certificate_chain = pem::text(own.key);
  BOOST_TEST(begins(refusal_of(config), "TLS: certificate_chain (text): holds no PEM certificate"));
  client_config client;
  client.trusted = pem::text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  BOOST_TEST(begins(refusal_of(client), "TLS: trusted (text): "));
}

BOOST_AUTO_TEST_CASE(a_key_of_another_certificate_is_refused) {
  server_config config = serving(own);
  config.self.private_key = pem::text(trusted.issue().key);
  BOOST_TEST(
      begins(refusal_of(config), "TLS: private_key (text): does not belong to the certificate"));
}

BOOST_AUTO_TEST_CASE(an_encrypted_key_needs_its_password) {
  server_config config = serving(own);
  config.self.private_key = pem::text(authority::encrypted(own, "secret"));
  BOOST_TEST(
      begins(refusal_of(config), "TLS: private_key (text): is encrypted: give its key_password"));
  config.self.key_password = "wrong";
  BOOST_TEST(begins(refusal_of(config), "TLS: private_key (text): its key_password is wrong"));
  config.self.key_password = "secret";
  context made{config};
}

BOOST_AUTO_TEST_CASE(files_are_as_good_as_texts) {
  auto folder = std::filesystem::temp_directory_path() / "troupe_tls_context_test";
  std::filesystem::create_directories(folder);
  std::ofstream{folder / "chain.pem"} << own.certificate << trusted.certificate();
  std::ofstream{folder / "key.pem"} << own.key;
  server_config config;
  config.self.certificate_chain = pem::file(folder / "chain.pem");
  config.self.private_key = pem::file(folder / "key.pem");
  context made{config};
  std::filesystem::remove_all(folder);
}

BOOST_AUTO_TEST_CASE(names_of_protocols_have_1_to_255_bytes) {
  client_config config;
  config.alpn = {"h2", ""};
  BOOST_TEST(begins(refusal_of(config), "TLS: alpn: '' does not have 1 to 255 bytes"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::tls
