#include <array>
#include <memory>
#include <optional>
#include <string>

#include <boost/test/unit_test.hpp>

#include <troupe/runtime/runtime.hpp>
#include <troupe/sim/explore.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/oneshot.hpp>
#include <troupe/task/select.hpp>
#include <troupe/task/spawn.hpp>

#include <manual_executor.hpp>
#include <threads.hpp>
#include <thrown_misuse.hpp>

namespace troupe {

namespace {

using test::manual_executor;
using shared = std::shared_ptr<int>;

const boost::system::error_code closed = errc::closed, nothing = errc::empty;

}  // namespace

BOOST_AUTO_TEST_SUITE(oneshot_)

// Goal:   in every order of what the two ends do, the value arrives, comes back or is destroyed,
//         exactly once, and the receiver learns which.
// Method: the sender sends or is dropped; the receiver awaits, tries, is dropped, or awaits and is
//         stopped; the steps of both are interleaved in all ways.
BOOST_AUTO_TEST_CASE(every_order_of_send_drop_receive_and_stop_keeps_the_value) {
  std::size_t orders = sim::explore([](sim::choices& choice) {
    auto owned = std::make_shared<int>(1);
    {
      manual_executor exec;
      auto ends = oneshot<shared>();
      std::optional<oneshot_sender<shared>> tx{std::move(ends.tx)};
      std::optional<oneshot_receiver<shared>> rx{std::move(ends.rx)};
      bool sends = choice.pick(2) == 0;
      std::size_t receives = choice.pick(4);  // Awaits, tries, is dropped, awaits and is stopped.
      bool got = false, was_closed = false, was_stopped = false, came_back = false;
      auto await_it = [&]() -> task<> {
        try {
          got = *(co_await *rx) == 1;
        } catch (const system_error& error) {
          was_closed = error.code() == closed;
        } catch (const canceled&) {
          was_stopped = true;
        }
      };
      std::optional<join_handle<void>> receiving;
      if (receives == 0 || receives == 3) receiving.emplace(spawn(await_it));
      auto act_as_sender = [&] {
        if (sends) came_back = tx->send(owned).has_value();
        tx.reset();
      };
      auto act_as_receiver = [&] {
        if (receives == 1) {
          auto tried = rx->try_recv();
          got = tried.has_value();
          was_closed = tried.has_error() && tried.error() == closed;
        }
        if (receives == 2) rx.reset();
        if (receives == 3) receiving->request_stop();
      };
      bool sender_acted = false, receiver_acted = receives == 0;
      while (!sender_acted || !receiver_acted || exec.ready() > 0) {
        std::array<int, 3> movable;
        std::size_t count = 0;
        if (!sender_acted) movable[count++] = 0;
        if (!receiver_acted) movable[count++] = 1;
        if (exec.ready() > 0) movable[count++] = 2;
        switch (movable[choice.pick(count)]) {
          case 0:
            sender_acted = true;
            act_as_sender();
            break;
          case 1:
            receiver_acted = true;
            act_as_receiver();
            break;
          default:
            exec.run_one();
        }
      }
      exec.run_all();
      if (receives == 0) BOOST_TEST((sends ? got : was_closed));
      if (receives == 2) BOOST_TEST(!got);
      if (came_back) BOOST_TEST(!got);
      if (receives == 3) BOOST_TEST((got || was_closed || was_stopped));
    }
    BOOST_TEST(owned.use_count() == 1);
  });
  BOOST_TEST_MESSAGE(orders << " orders");
  BOOST_TEST(orders >= 20u);
}

BOOST_AUTO_TEST_CASE(a_value_sent_before_the_await_is_there) {
  manual_executor exec;
  auto ends = oneshot<std::string>();
  BOOST_TEST(!ends.tx.send("early").has_value());
  std::string got;
  spawn([&]() -> task<> { got = co_await ends.rx; }).detach();
  exec.run_all();
  BOOST_TEST(got == "early");
}

BOOST_AUTO_TEST_CASE(takes_values_that_an_error_code_converts_to) {
  manual_executor exec;
  spawn([]() -> task<> {
    auto yes = oneshot<bool>();
    BOOST_TEST((yes.rx.try_recv().error() == nothing));
    yes.tx.send(true);
    BOOST_TEST(co_await yes.rx);
    auto nested = oneshot<result<int>>();
    nested.tx.send(result<int>{closed});
    result<int> inner = co_await nested.rx;
    BOOST_TEST((inner.error() == closed));
  }).detach();
  exec.run_all();
}

BOOST_AUTO_TEST_CASE(the_value_comes_back_when_the_receiver_has_gone) {
  auto ends = oneshot<std::unique_ptr<int>>();
  BOOST_TEST(!ends.tx.receiver_gone());
  {
    auto gone = std::move(ends.rx);
  }
  BOOST_TEST(ends.tx.receiver_gone());
  auto back = ends.tx.send(std::make_unique<int>(7));
  BOOST_TEST_REQUIRE(back.has_value());
  BOOST_TEST(**back == 7);
}

BOOST_AUTO_TEST_CASE(a_sender_dropped_unsent_ends_the_wait_with_closed) {
  manual_executor exec;
  auto ends = oneshot<int>();
  bool was_closed = false;
  spawn([&]() -> task<> {
    auto got = co_await ends.rx.as_result();
    was_closed = got.has_error() && got.error() == closed;
  }).detach();
  exec.run_all();
  BOOST_TEST(!was_closed);
  {
    auto gone = std::move(ends.tx);
  }
  exec.run_all();
  BOOST_TEST(was_closed);
}

BOOST_AUTO_TEST_CASE(a_stopped_wait_takes_no_value) {
  manual_executor exec;
  auto ends = oneshot<int>();
  auto waiting = spawn([&]() -> task<> { (void)co_await ends.rx; });
  exec.run_all();
  waiting.request_stop();
  exec.run_all();
  BOOST_TEST(waiting.done());
  BOOST_TEST(!ends.tx.send(3).has_value());
  BOOST_TEST(ends.rx.try_recv().value() == 3);
}

BOOST_AUTO_TEST_CASE(a_wait_that_loses_a_select_may_be_begun_again) {
  manual_executor exec;
  auto ends = oneshot<int>();
  event other;
  int got = 0;
  spawn([&]() -> task<> {
    auto first = co_await select(ends.rx, other.wait());
    BOOST_TEST(first.index() == 1u);
    got = co_await ends.rx;
  }).detach();
  exec.run_all();
  other.set();
  exec.run_all();
  BOOST_TEST(!ends.tx.send(4).has_value());
  exec.run_all();
  BOOST_TEST(got == 4);
}

BOOST_AUTO_TEST_CASE(try_recv_tells_empty_from_closed) {
  auto ends = oneshot<int>();
  BOOST_CHECK(ends.rx.try_recv().error() == nothing);
  {
    auto gone = std::move(ends.tx);
  }
  BOOST_CHECK(ends.rx.try_recv().error() == closed);
}

BOOST_AUTO_TEST_CASE(sending_or_receiving_twice_is_a_misuse) {
  auto ends = oneshot<int>();
  BOOST_TEST(!ends.tx.send(1).has_value());
  BOOST_TEST(test::misuse_of([&] { (void)ends.tx.send(2); }) ==
             "a oneshot_sender was used twice: it sends one value");
  BOOST_TEST(ends.rx.try_recv().value() == 1);
  BOOST_TEST(test::misuse_of([&] { (void)ends.rx.try_recv(); }) != "");
  BOOST_TEST(test::misuse_of([&] { (void)ends.rx.as_operation(); }) ==
             "a oneshot_receiver was awaited twice: keep its value");
}

// Goal:   a value sent by a foreign thread always wakes the task that waits, or is about to.
BOOST_AUTO_TEST_CASE(foreign_threads_may_send) {
  const std::size_t count = test::rounds(3'000);
  runtime_config config;
  config.workers = 2;
  runtime rt{config};
  std::size_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    auto ends = oneshot<std::size_t>();
    auto receiving = rt.spawn([&]() -> task<std::size_t> { co_return co_await ends.rx; });
    (void)ends.tx.send(i);
    sum += rt.block_on([&]() -> task<std::size_t> { co_return co_await receiving; });
  }
  BOOST_TEST(sum == count * (count - 1) / 2);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
