// The snippets of docs/distribution.md, in its order. Each block of the page stands here line by
// line, but for the indentation; the last case holds that.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <fmt/core.h>

#include <troupe/actor/actor.hpp>
#include <troupe/node/node.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sim/network.hpp>
#include <troupe/sim/node.hpp>
#include <troupe/sim/world.hpp>
#include <troupe/sync/event.hpp>

#include <docs/page_snippets.hpp>
#include <error_of.hpp>

using namespace std::chrono_literals;
namespace sim = troupe::sim;

namespace distribution {

// An amount whose fields are its own matter.
class decimal {
public:
  decimal() = default;
  explicit decimal(std::int64_t units) : units_{units} {}
  [[nodiscard]] std::int64_t units() const { return units_; }

private:
  std::int64_t units_ = 0;
};

}  // namespace distribution

using distribution::decimal;

template <>
struct troupe::wire_codec<decimal> {
  static void write(wire_writer& to, const decimal& value) { write_part(to, value.units()); }
  static bool read(wire_reader& from, decimal& value) {
    std::int64_t units = 0;
    if (!read_part(from, units)) return false;
    value = decimal{units};
    return true;
  }
  static void describe(wire_layout& to) { describe_part<std::int64_t>(to); }
};

namespace {

struct deposit {
  std::int64_t cents;
};
struct balance {
  using reply = std::int64_t;
};
using account = troupe::protocol<deposit, balance>;

class savings : public troupe::actor {
public:
  void on(deposit m) { sum_ += m.cents; }
  std::int64_t on(balance) const { return sum_; }

private:
  std::int64_t sum_ = 0;
};

troupe::task<> serve(std::string address) {
  troupe::node_options options;
  options.listen_on = address;
  troupe::node here = co_await troupe::node::start(options);
  here.publish<account>("savings", troupe::spawn<savings>());
  troupe::event never;
  co_await never.wait();
}

troupe::task<> pay_in(std::string address) {
  troupe::node_options options;
  troupe::node here = co_await troupe::node::start(options);
  troupe::remote_node there = co_await here.connect(address);
  auto bank = co_await there.find<account>("savings");
  co_await bank.send(deposit{4200});
  fmt::print("{} cents\n", co_await bank.ask(balance{}));
}

troupe::task<std::int64_t> sum_at(std::string address) {
  troupe::node_options options;
  troupe::node here = co_await troupe::node::start(options);
  troupe::remote_node there = co_await here.connect(address);
  auto bank = co_await there.find<account>("savings");
  std::int64_t sum = co_await bank.ask(balance{});
  co_return sum;
}

troupe::task<std::string> sum_in_words(troupe::ref<account> bank) {
  auto sum = co_await bank.ask(balance{}, troupe::within{2s}).as_result();
  if (sum) co_return fmt::format("{} cents", *sum);
  if (!troupe::may_have_run(sum.error())) co_return "not run: ask again";
  co_return "may have run: " + sum.error().message();
}

troupe::task<std::int64_t> sum_when_back(troupe::remote_node there, troupe::ref<account> bank) {
  for (;;) {
    auto sum = co_await bank.ask(balance{}).as_result();
    if (sum) co_return *sum;
    if (sum.error() != troupe::ask_errc::node_down) throw troupe::system_error{sum.error()};
    co_await there.up();
    co_await troupe::sleep_for(20ms);  // Until the name is found again.
  }
}

struct read_news {
  using reply = std::vector<std::string>;
};

class watcher : public troupe::actor {
public:
  explicit watcher(troupe::ref<account> of) : of_{std::move(of)} {}
  void on_start() { self(this).monitor(of_); }
  void on(const troupe::down& d) { news.push_back(d.restarts ? "away" : "gone for good"); }
  std::vector<std::string> on(read_news) const { return news; }

private:
  troupe::ref<account> of_;
  std::vector<std::string> news;
};

// What the page says of a server, for any address.
troupe::task<> serve_all(std::string address) {
  troupe::node_options options;
  options.listen_on = std::move(address);
  options.security = troupe::node_security::insecure_for_closed_networks();
  troupe::node here = co_await troupe::node::start(options);
  here.publish<account>("savings", troupe::spawn<savings>());
  troupe::event never;
  co_await never.wait();
}

troupe::node_options any_address() {
  troupe::node_options options;
  options.security = troupe::node_security::insecure_for_closed_networks();
  return options;
}

// Asks ten times in a second, and pays in one cent each time the bank has forgotten all.
troupe::task<> use_bank(std::string address, int& failures, int& times_empty) {
  troupe::node_options options = any_address();
  troupe::node here = co_await troupe::node::start(options);
  troupe::remote_node there = co_await here.connect(address);
  auto bank = co_await there.find<account>("savings");
  for (;;) {
    auto sum = co_await bank.ask(balance{}).as_result();
    if (!sum) ++failures;
    if (sum && *sum == 0) {
      ++times_empty;
      co_await bank.send(deposit{1});
    }
    co_await troupe::sleep_for(100ms);
  }
}

// The files have names of the page: they are not there.
troupe::node_options secure_options() {
  troupe::node_options options;
  troupe::node_tls with;
  with.self.certificate_chain = troupe::tls::pem::file("bank.pem");
  with.self.private_key = troupe::tls::pem::file("bank.key");
  with.trusted = troupe::tls::pem::file("ca.pem");
  options.security = troupe::node_security::mutual_tls(with);
  return options;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(distribution_)

BOOST_AUTO_TEST_CASE(one_node_uses_what_another_has_published) {
  sim::world world{1};
  sim::node& machine = world.add_node("machine");
  machine.start([] { return serve("127.0.0.1:7000"); });
  machine.block_on([] { return pay_in("127.0.0.1:7000"); });
  machine.block_on([] { return pay_in("127.0.0.1:7000"); });
  BOOST_TEST(machine.block_on([] { return sum_at("127.0.0.1:7000"); }) == 8400);
}

BOOST_AUTO_TEST_CASE(a_request_that_fails_tells_whether_it_may_have_run) {
  sim::world world{1};
  sim::node& bank_node = world.add_node("bank");
  sim::node& desk = world.add_node("desk");
  bank_node.start([] { return serve_all("0.0.0.0:7000"); });
  std::vector<std::string> words, news;
  desk.block_on([&]() -> troupe::task<> {
    troupe::node_options options = any_address();
    troupe::node here = co_await troupe::node::start(options);
    troupe::remote_node there = co_await here.connect(bank_node.address() + ":7000");
    auto bank = co_await there.find<account>("savings");
    auto watching = troupe::spawn<watcher>(bank);
    words.push_back(co_await sum_in_words(bank));
    bank_node.kill();
    co_await there.down();
    words.push_back(co_await sum_in_words(bank));
    bank_node.restart();
    BOOST_TEST((co_await sum_when_back(there, bank)) == 0);
    bank.stop();
    co_await bank.ended();
    words.push_back(co_await sum_in_words(bank));
    news = co_await watching.ask(read_news{});
    co_await here.shut_down();
  });
  BOOST_TEST(words.at(0) == "0 cents");
  BOOST_TEST(words.at(1).starts_with("may have run: "), words.at(1));
  BOOST_TEST(words.at(2) == "not run: ask again");
  BOOST_TEST((news == std::vector<std::string>{"away", "gone for good"}));
}

BOOST_AUTO_TEST_CASE(a_class_travels_by_its_codec) {
  struct priced {
    std::string name;
    decimal price;
  };
  priced sent{"nails", decimal{-12'345}};
  auto read = troupe::from_wire<priced>(troupe::to_wire(sent));
  BOOST_REQUIRE(read);
  BOOST_TEST(read->price.units() == -12'345);
  BOOST_TEST(!troupe::from_wire<decimal>("short"));
  const std::string& layout = troupe::wire_layout_of<priced>();
  BOOST_TEST((layout.find("decimal{i64}") != std::string::npos), layout);
}

BOOST_AUTO_TEST_CASE(files_that_are_not_there_are_named) {
  sim::world world{1};
  sim::node& machine = world.add_node("machine");
  std::string words = troupe::test::error_of([&] {
    machine.block_on([]() -> troupe::task<> {
      troupe::node_options options = secure_options();
      (void)co_await troupe::node::start(options);
    });
  });
  BOOST_TEST((words.find("ca.pem") != std::string::npos), words);
}

BOOST_AUTO_TEST_CASE(a_node_that_is_killed_in_a_world_is_used_again) {
  int failures = 0, times_empty = 0;
  sim::world world{7};
  sim::node& bank = world.add_node("bank");
  sim::node& desk = world.add_node("desk");
  bank.start([] { return serve_all("0.0.0.0:7000"); });
  world.after(2s, [&] { bank.kill(); });
  world.after(5s, [&] { bank.restart(); });
  desk.spawn([&] { return use_bank(bank.address() + ":7000", failures, times_empty); });
  world.expect("the bank is used again", [&] { return failures > 0 && times_empty == 2; }, 1min);
  BOOST_TEST((world.now() < 8s));
}

BOOST_AUTO_TEST_CASE(every_snippet_of_the_page_is_compiled_here) {
  BOOST_TEST(troupe::test::check_snippets(
                 {"docs/distribution.md", "tests/docs/distribution_test.cpp"}) >= 8);
}

BOOST_AUTO_TEST_SUITE_END()
