#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <vector>

#include <troupe/sim/detail/agenda.hpp>

namespace troupe {
namespace {

using namespace std::chrono_literals;
using sim::detail::agenda;

BOOST_AUTO_TEST_SUITE(agenda_)

BOOST_AUTO_TEST_CASE(entries_run_in_the_order_of_time_and_then_of_their_coming) {
  agenda plan{1};
  std::string order;
  plan.after(2s, "c", [&] { order += 'c'; });
  plan.after(1s, "a", [&] { order += 'a'; });
  plan.after(1s, "b", [&] { order += 'b'; });
  BOOST_TEST(!plan.run_due());
  plan.move_to(*plan.next());
  BOOST_TEST((plan.run_due() == "a"));
  BOOST_TEST((plan.run_due() == "b"));
  BOOST_TEST(!plan.run_due());
  plan.move_to(*plan.next());
  BOOST_TEST((plan.run_due() == "c"));
  BOOST_TEST(order == "abc");
  BOOST_TEST(!plan.next());
}

BOOST_AUTO_TEST_CASE(what_is_past_is_due_at_once_and_an_entry_may_add_others) {
  agenda plan{1};
  plan.move_to(time_point{5s});
  int runs = 0;
  plan.at(time_point{1s}, "first", [&] { plan.after(0s, "second", [&] { ++runs; }); });
  BOOST_TEST((plan.next() == time_point{5s}));
  BOOST_TEST((plan.run_due() == "first"));
  BOOST_TEST((plan.run_due() == "second"));
  BOOST_TEST(runs == 1);
}

BOOST_AUTO_TEST_CASE(its_clock_moves_by_itself_for_nobody) {
  agenda plan{1};
  BOOST_TEST(!plan.clock().jump_to(time_point{1s}));
  BOOST_TEST((plan.clock().now() == time_point{}));
  plan.move_to(time_point{3s});
  BOOST_TEST((plan.clock().now() == time_point{3s}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace troupe
