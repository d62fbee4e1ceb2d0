// The snippets of docs/guide/nodes.md, in its order. Each block of the page stands here line by
// line, but for the indentation; the last case holds that, and the others what the page shows of
// their output.

#include <cstdint>
#include <string>
#include <utility>

#include <fmt/core.h>
#include <boost/test/unit_test.hpp>

#include <troupe/actor/actor.hpp>
#include <troupe/node/node.hpp>
#include <troupe/sim/node.hpp>
#include <troupe/sim/world.hpp>
#include <troupe/sync/event.hpp>

#include "page_output.hpp"

namespace {

constexpr const char* page = "docs/guide/nodes.md";

struct deposit {
  std::int64_t cents;
};
struct balance {
  using reply = std::int64_t;
};
using account = troupe::protocol<deposit, balance>;

class savings : public troupe::actor {
public:
  void on(deposit m) { cents_ += m.cents; }
  std::int64_t on(balance) const { return cents_; }

private:
  std::int64_t cents_ = 0;
};

// Does not know where the account is.
troupe::task<> pay_in(troupe::ref<account> to) {
  co_await to.send(deposit{4200});
  auto cents = co_await to.ask(balance{}).as_result();
  if (cents) {
    fmt::print("{} cents\n", *cents);
  } else {
    fmt::print("error = {}\n", cents.error().message());
  }
}

troupe::task<> at_home() { co_await pay_in(troupe::spawn<savings>()); }

troupe::task<> from_afar(std::string address) {
  troupe::node_options options;
  troupe::node here = co_await troupe::node::start(options);
  troupe::remote_node there = co_await here.connect(address);
  auto to = co_await there.find<account>("savings");
  co_await pay_in(to);
}

troupe::task<> serve(std::string address) {
  troupe::node_options options;
  options.listen_on = std::move(address);
  troupe::node here = co_await troupe::node::start(options);
  here.publish<account>("savings", troupe::spawn<savings>());
  troupe::event never;
  co_await never.wait();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(guide_nodes_)

BOOST_AUTO_TEST_CASE(the_same_function_uses_an_account_here_and_there) {
  troupe::test::check_output_of(page, [] {
    troupe::sim::world world{1};
    troupe::sim::node& machine = world.add_node("machine");
    machine.start([] { return serve("127.0.0.1:7000"); });
    machine.block_on(at_home);
    machine.block_on([] { return from_afar("127.0.0.1:7000"); });
    machine.block_on([] { return from_afar("127.0.0.1:7000"); });
  });
}

BOOST_AUTO_TEST_CASE(every_snippet_of_the_page_is_compiled_here) {
  BOOST_TEST(troupe::test::check_snippets({page, "tests/docs/guide_nodes_test.cpp"}) == 3);
}

BOOST_AUTO_TEST_SUITE_END()
