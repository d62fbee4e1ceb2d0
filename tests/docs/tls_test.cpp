#include <string>
#include <utility>

#include <boost/test/unit_test.hpp>

#include <fmt/core.h>

#include <troupe/io/framing.hpp>
#include <troupe/net/tcp.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/spawn_blocking.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/tls/tls.hpp>

#include <docs/page_snippets.hpp>
#include <tls/authority.hpp>

namespace {

namespace io = troupe::io;
namespace net = troupe::net;
namespace tls = troupe::tls;

troupe::task<> serve_one(io::stream plain, tls::context with) {
  io::stream peer = co_await tls::accept(std::move(plain), with);
  io::line_reader lines{peer, 4096};
  while (auto line = co_await lines.next_line()) {
    std::string answer = *line + "\n";
    co_await peer.write_all(answer);
  }
}

troupe::task<std::string> ask(io::stream plain, tls::context with) {
  io::stream server = co_await tls::connect(std::move(plain), with, "server.test");
  co_await server.write_all("hello\n");
  co_await server.shutdown();
  std::string answer = co_await server.read_to_end(4096);
  co_return answer;
}

[[maybe_unused]] tls::context server_context() {
  tls::server_config config;
  config.self.certificate_chain = tls::pem::file("server.pem");
  config.self.private_key = tls::pem::file("server.key");
  return tls::context{config};
}

[[maybe_unused]] troupe::task<tls::context> load() {
  tls::context with = co_await troupe::spawn_blocking(server_context);
  co_return with;
}

[[maybe_unused]] tls::context mutual(tls::server_config config) {
  config.trusted_clients = tls::pem::file("clients.pem");
  return tls::context{config};
}

std::string words_for(const troupe::system_error& error) {
  if (error.code() == tls::errc::truncated) return "cut off: do not trust what was read";
  if (error.code() == tls::errc::certificate_refused) return "not whom we asked for";
  if (error.code() == tls::errc::not_tls) return "no TLS at all";
  return error.what();
}

std::string agreed_with(const io::stream& peer) {
  std::string text = "plain";
  if (auto agreed = tls::info_of(peer)) {
    text = fmt::format("{} {} {}", agreed->version, agreed->cipher, agreed->peer_subject);
  }
  return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(tls_)

BOOST_AUTO_TEST_CASE(a_client_asks_a_server) {
  tls::authority trusted;
  tls::papers own = trusted.issue();
  tls::server_config as_server;
  as_server.self.certificate_chain = tls::pem::text(own.certificate);
  as_server.self.private_key = tls::pem::text(own.key);
  tls::client_config as_client;
  as_client.trusted = tls::pem::text(trusted.certificate());
  tls::context server{as_server}, client{as_client};
  troupe::runtime rt;
  std::string answer = rt.block_on([&]() -> troupe::task<std::string> {
    io::listener listener = net::tcp_listen("127.0.0.1", 0);
    io::stream near = co_await net::tcp_connect("127.0.0.1", listener.port());
    io::stream far = co_await listener.accept();
    BOOST_TEST(agreed_with(far) == "plain");
    auto serving = troupe::spawn(serve_one(std::move(far), server));
    std::string got = co_await ask(std::move(near), client);
    co_await serving;
    co_return got;
  });
  BOOST_TEST(answer == "hello\n");
  BOOST_TEST(words_for(troupe::system_error{tls::errc::not_tls}) == "no TLS at all");
}

BOOST_AUTO_TEST_CASE(every_snippet_of_the_page_is_compiled_here) {
  BOOST_TEST(troupe::test::check_snippets({"docs/tls.md", "tests/docs/tls_test.cpp"}) >= 6);
}

BOOST_AUTO_TEST_SUITE_END()
