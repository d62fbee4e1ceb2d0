#include <memory>

#include <boost/test/unit_test.hpp>

#include <troupe/io/listener.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/select.hpp>

#include <io/scripted_door.hpp>

namespace troupe::io {

namespace {

struct fixture {
  static runtime_config config() {
    runtime_config two;
    two.workers = 2;
    return two;
  }

  runtime rt{config()};
  std::shared_ptr<scripted_door> door = std::make_shared<scripted_door>();
  listener doorman = open_scripted(door);
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(listener_, fixture)

BOOST_AUTO_TEST_CASE(accept_waits_for_a_connection) {
  auto accepting = rt.spawn([&]() -> task<stream> { co_return co_await doorman.accept(); });
  door->knock(std::make_shared<scripted_wire>());
  auto join = [&]() -> task<std::string> {
    stream accepted = co_await accepting;
    co_return accepted.peer_address();
  };
  BOOST_TEST(rt.block_on(join) == "there");
}

BOOST_AUTO_TEST_CASE(cancel_safe_accept) {
  event other;
  auto wire = std::make_shared<scripted_wire>();
  auto lose_and_accept = [&]() -> task<bool> {
    auto first = co_await select(doorman.accept(), other.wait());
    if (first.index() != 1) co_return false;
    door->knock(wire);
    stream accepted = co_await doorman.accept();
    co_return accepted.is_open() && !wire->closed;
  };
  auto running = rt.spawn(lose_and_accept);
  other.set();
  auto join = [&]() -> task<bool> { co_return co_await running; };
  BOOST_TEST(rt.block_on(join));
}

BOOST_AUTO_TEST_CASE(an_error_is_handed_over_and_the_next_accept_goes_on) {
  door->knock(make_error_code(boost::system::errc::too_many_files_open));
  door->knock(std::make_shared<scripted_wire>());
  auto accept_two = [&]() -> task<bool> {
    auto first = co_await doorman.accept().as_result();
    stream second = co_await doorman.accept();
    co_return first.has_error() && second.is_open();
  };
  BOOST_TEST(rt.block_on(accept_two));
}

BOOST_AUTO_TEST_CASE(the_end_of_intake_is_a_stop_and_no_error) {
  door->knock(make_error_code(errc::canceled));
  auto accept = [&]() -> task<bool> {
    try {
      auto outcome = co_await doorman.accept().as_result();
      co_return outcome.has_value();
    } catch (const canceled&) {
      co_return true;
    }
  };
  BOOST_TEST(rt.block_on(accept));
}

BOOST_AUTO_TEST_CASE(its_end_leaves_accepted_connections_open) {
  auto wire = std::make_shared<scripted_wire>();
  door->knock(wire);
  auto accept = [&]() -> task<stream> { co_return co_await doorman.accept(); };
  stream accepted = rt.block_on(accept);
  doorman.close();
  BOOST_TEST(door->closed);
  BOOST_TEST(!wire->closed);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::io
