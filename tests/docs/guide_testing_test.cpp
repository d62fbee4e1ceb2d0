// The snippets of docs/guide/testing.md, in its order. Each block of the page stands here line by
// line, but for the indentation; the last case holds that, and the others what the page shows of
// their output.

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/actor/actor.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sim/replay.hpp>
#include <troupe/sim/world.hpp>

#include <captured_log.hpp>

#include "page_output.hpp"

using namespace std::chrono_literals;

// A trace shows it: an anonymous one is told otherwise by each compiler.
namespace bank {

struct withdraw {
  using reply = bool;
  int cents;
};
struct balance {
  using reply = int;
};

class account : public troupe::actor {
public:
  explicit account(int cents) : cents_{cents} {}

  troupe::task<bool> on(withdraw m, troupe::interleaved) {
    if (m.cents > cents_) co_return false;
    co_await troupe::sleep_for(3ms);  // A receipt is printed.
    cents_ -= m.cents;
    co_return true;
  }
  int on(balance) const { return cents_; }

private:
  int cents_;
};

}  // namespace bank

namespace mended {

using bank::balance;
using bank::withdraw;

class account : public troupe::actor {
public:
  explicit account(int cents) : cents_{cents} {}

  troupe::task<bool> on(withdraw m) {
    if (m.cents > cents_) co_return false;
    co_await troupe::sleep_for(3ms);
    cents_ -= m.cents;
    co_return true;
  }
  int on(balance) const { return cents_; }

private:
  int cents_;
};

}  // namespace mended

namespace {

using bank::balance;
using bank::withdraw;

constexpr const char* page = "docs/guide/testing.md";

template <class account>
void nobody_is_given_what_is_not_there() {
  namespace sim = troupe::sim;
  sim::for_each_seed("bank/nobody_is_given_what_is_not_there", 200, [](sim::world& world) {
    sim::node& machine = world.add_node("bank");
    troupe::duration ann_comes_at = 1ms * world.random().below(50);
    troupe::duration bob_comes_at = 1ms * world.random().below(50);

    int left = machine.block_on([=]() -> troupe::task<int> {
      auto savings = troupe::spawn<account>(100);
      auto customer = [savings](troupe::duration comes_at) -> troupe::task<> {
        co_await troupe::sleep_for(comes_at);
        (void)co_await savings.ask(withdraw{80});
      };
      auto ann = troupe::spawn(customer, ann_comes_at);
      auto bob = troupe::spawn(customer, bob_comes_at);
      co_await ann;
      co_await bob;
      co_return co_await savings.ask(balance{});
    });
    world.check(left >= 0, "nobody is given what is not there");
  });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(guide_testing_)

BOOST_AUTO_TEST_CASE(a_wrong_account_is_found_by_a_seed) {
  ::unsetenv("TROUPE_DEV");  // The page shows what a program of one's own says.
  std::vector<std::string> words;
  try {
    nobody_is_given_what_is_not_there<bank::account>();
  } catch (const troupe::sim::seed_failed& failure) {
    std::istringstream text{failure.what()};
    for (std::string line; std::getline(text, line);) words.push_back(line);
  }
  troupe::test::check_output(page, words);
}

BOOST_AUTO_TEST_CASE(a_replay_lists_each_turn) {
  troupe::test::captured_log log;
  ::setenv("TROUPE_SIM_SEED", "8", 1);
  BOOST_CHECK_THROW(nobody_is_given_what_is_not_there<bank::account>(), troupe::sim::seed_failed);
  ::unsetenv("TROUPE_SIM_SEED");
  std::vector<std::string> turns;
  for (const std::string& line : log.lines()) turns.push_back("troupe: " + line);
  BOOST_REQUIRE(turns.size() >= 9U);
  troupe::test::check_output(page, {turns.begin() + 3, turns.begin() + 9});
}

BOOST_AUTO_TEST_CASE(a_right_account_passes) {
  nobody_is_given_what_is_not_there<mended::account>();
}

BOOST_AUTO_TEST_CASE(every_snippet_of_the_page_is_compiled_here) {
  BOOST_TEST(troupe::test::check_snippets({page, "tests/docs/guide_testing_test.cpp"}) == 3);
}

BOOST_AUTO_TEST_SUITE_END()
