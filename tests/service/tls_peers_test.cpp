#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>

#include <boost/test/unit_test.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <service/serving.hpp>
#include <tls/authority.hpp>

namespace service {

namespace {

using troupe::tls::authority;
using troupe::tls::papers;

// A blocking TLS client by plain OpenSSL that reads lines, without anything of troupe.
class tls_line_peer {
public:
  tls_line_peer(std::uint16_t port, const authority& trusted) : plain_{port} {
    ctx_.reset(SSL_CTX_new(TLS_client_method()));
    std::string text = trusted.certificate();
    std::unique_ptr<BIO, int (*)(BIO*)> from{
        BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free};
    X509* root = PEM_read_bio_X509(from.get(), nullptr, nullptr, nullptr);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx_.get()), root);
    X509_free(root);
    SSL_CTX_set_verify(ctx_.get(), SSL_VERIFY_PEER, nullptr);
    ssl_.reset(SSL_new(ctx_.get()));
    SSL_set1_host(ssl_.get(), "server.test");
    SSL_set_fd(ssl_.get(), plain_.fd());
  }

  [[nodiscard]] bool shake_hands() { return SSL_connect(ssl_.get()) == 1; }
  [[nodiscard]] long verdict() const { return SSL_get_verify_result(ssl_.get()); }

  std::optional<std::string> next_line() {
    for (;;) {
      if (auto end = held_.find('\n'); end != std::string::npos) {
        std::string line = held_.substr(0, end);
        held_.erase(0, end + 1);
        return line;
      }
      char part[4096];
      int count = SSL_read(ssl_.get(), part, sizeof part);
      if (count <= 0) return std::nullopt;
      held_.append(part, static_cast<std::size_t>(count));
    }
  }
  std::string ask(std::string request) {
    request += '\n';
    BOOST_REQUIRE(SSL_write(ssl_.get(), request.data(), static_cast<int>(request.size())) > 0);
    auto answer = next_line();
    BOOST_REQUIRE(answer);
    return *answer;
  }
  /// Whether the connection ended as TLS ends.
  [[nodiscard]] bool heard_goodbye() const {
    return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
  }

private:
  line_peer plain_;
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> ctx_{nullptr, SSL_CTX_free};
  std::unique_ptr<SSL, void (*)(SSL*)> ssl_{nullptr, SSL_free};
  std::string held_;
};

// A service with a TLS port beside its plain one.
struct secure_serving {
  explicit secure_serving(std::vector<std::string> more = {}) : secure_serving{{}, more} {}
  secure_serving(const authority::wish& wanted, std::vector<std::string> more) {
    std::string form = (std::filesystem::temp_directory_path() / "troupe_tls_XXXXXX").string();
    folder = ::mkdtemp(form.data());
    papers own = trusted.issue(wanted);
    std::ofstream{folder / "server.pem"} << own.certificate;
    std::ofstream{folder / "server.key"} << own.key;
    for (std::string each : {"--tls-cert", "server.pem", "--tls-key", "server.key"}) {
      more.push_back(each.starts_with("--") ? each : (folder / each).string());
    }
    service.emplace(more);
    auto line = service->program().next_line();
    BOOST_REQUIRE(line);
    BOOST_REQUIRE(line->starts_with("listening with TLS on 127.0.0.1:"));
    port = static_cast<std::uint16_t>(std::stoul(line->substr(line->rfind(':') + 1)));
  }
  ~secure_serving() { std::filesystem::remove_all(folder); }

  tls_line_peer greeted() {
    tls_line_peer fresh{port, trusted};
    BOOST_REQUIRE(fresh.shake_hands());
    BOOST_REQUIRE(fresh.next_line()->starts_with("troupe service, connection "));
    return fresh;
  }
  bool complains(std::string_view of) {
    return service->program().error_text().find(of) != std::string::npos;
  }

  authority trusted;
  std::filesystem::path folder;
  std::optional<serving> service;
  std::uint16_t port = 0;
};

void check_unharmed(tls_line_peer& good) {
  BOOST_TEST(good.ask("echo still here") == "still here");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(tls_peers_, *boost::unit_test::label("sample"))

BOOST_AUTO_TEST_CASE(both_ports_speak_the_same_and_are_counted_together) {
  secure_serving on;
  tls_line_peer secure = on.greeted();
  line_peer plain = on.service->greeted();
  BOOST_TEST(secure.ask("hello") == "hello world");
  BOOST_TEST(plain.ask("hello") == "hello world");
  BOOST_TEST(secure.ask("quit") == "bye");
  BOOST_TEST(!secure.next_line());
  BOOST_TEST(secure.heard_goodbye());
  balance last = on.service->stop();
  BOOST_TEST(last.sent == std::string{"hello\nhello\nquit\n"}.size());
  BOOST_TEST(last.answered == 3u);
}

BOOST_AUTO_TEST_CASE(a_client_that_trusts_another_authority_goes_and_harms_nobody) {
  secure_serving on;
  tls_line_peer good = on.greeted();
  authority other{"authority.strange"};
  tls_line_peer bad{on.port, other};
  BOOST_TEST(!bad.shake_hands());
  BOOST_TEST(bad.verdict() == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
  check_unharmed(good);
  on.service->stop();
  BOOST_TEST(on.complains("unknown ca: the peer broke off with a TLS alert"));
}

BOOST_AUTO_TEST_CASE(plain_text_on_the_tls_port_is_named_and_closed) {
  secure_serving on;
  tls_line_peer good = on.greeted();
  line_peer bad{on.port};
  bad.write_all("hello\n");
  BOOST_TEST(!bad.next_line());
  check_unharmed(good);
  on.service->stop();
  BOOST_TEST(on.complains("looks like plain text: not TLS"));
}

BOOST_AUTO_TEST_CASE(tls_on_the_plain_port_is_garbage_there) {
  secure_serving on;
  tls_line_peer good = on.greeted();
  line_peer bad = on.service->greeted();
  BOOST_TEST(bad.ask(std::string{"\x16\x03\x01\x00", 4}).starts_with("error: not a line of text"));
  check_unharmed(good);
  on.service->stop();
}

BOOST_AUTO_TEST_CASE(a_handshake_that_stops_half_way_is_closed_at_its_limit) {
  secure_serving on{std::vector<std::string>{"--idle", "0.3"}};
  line_peer silent{on.port};
  line_peer in_mid_hello{on.port};
  in_mid_hello.write_all(std::string_view{"\x16\x03\x01\x02\x00\x01", 6});
  BOOST_TEST(!silent.next_line());
  BOOST_TEST(!in_mid_hello.next_line());
  tls_line_peer good = on.greeted();
  check_unharmed(good);
  on.service->stop();
  BOOST_TEST(on.complains("timed out"));
}

BOOST_AUTO_TEST_CASE(half_open_handshakes_do_not_keep_the_service_from_stopping) {
  secure_serving on;
  line_peer silent{on.port};
  tls_line_peer good = on.greeted();
  check_unharmed(good);
  on.service->stop();
}

BOOST_AUTO_TEST_CASE(a_client_that_breaks_off_in_mid_record_leaves_the_balance_true) {
  secure_serving on;
  tls_line_peer good = on.greeted();
  for (int i = 0; i < 20; ++i) {
    line_peer bad{on.port};
    bad.write_all(std::string_view{"\x16\x03\x01\x02\x00\x01\x00", 7});
    bad.reset();
    check_unharmed(good);
  }
  balance last = on.service->stop();
  BOOST_TEST(last.answered == 20u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace service
