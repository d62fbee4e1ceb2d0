#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <actors/listener.hpp>
#include <troupe/actor/supervisor.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/task/yield.hpp>

#include <captured_log.hpp>
#include <collected_failures.hpp>
#include <io/scripted_door.hpp>
#include <sched/virtual_worker.hpp>

namespace troupe::actors {

namespace {

// Reads one byte after another: `!` is a failure, the end of the peer its own.
class guest : public actor {
public:
  guest(io::stream peer, std::string& log) : peer_{std::move(peer)}, log_{&log} {}

  void on_start() {
    *log_ += '+';
    self().spawn([this]() -> task<> {
      char got = 0;
      while (co_await peer_.read_some(std::span{&got, 1}) > 0) {
        if (got == '!') throw std::runtime_error{"it was told to"};
        *log_ += got;
      }
      self().stop();
    });
  }
  task<> on_stop() {
    co_await yield();
    *log_ += '-';
  }

private:
  io::stream peer_;
  std::string* log_;
};

using wire_ptr = std::shared_ptr<io::scripted_wire>;

struct house : test::virtual_worker {
  std::shared_ptr<io::scripted_door> door = std::make_shared<io::scripted_door>();
  std::string log;  // Of all guests.

  listener::make_connection make = [this](io::stream peer) {
    return spawn<guest>(std::move(peer), log);
  };
  ref<listener> open(listener_options options = {}) {
    return spawn<listener>(io::open_scripted(door), make, std::move(options));
  }
  wire_ptr knock() {
    auto wire = std::make_shared<io::scripted_wire>();
    door->knock(wire);
    return wire;
  }
  // Waits until that many are open and the log is so long.
  static task<> until(ref<listener> of, std::size_t count, const std::string& log,
                      std::size_t length) {
    for (;;) {
      std::size_t open_count = co_await of.ask(listener::count_open{});
      if (open_count == count && log.size() >= length) co_return;
      co_await yield();
    }
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(listener_, house)

BOOST_AUTO_TEST_CASE(each_connection_gets_an_actor_and_is_forgotten_at_its_end) {
  rt.block_on([&]() -> task<> {
    auto l = open();
    wire_ptr a = knock(), b = knock();
    co_await until(l, 2, log, 2);
    a->end();
    co_await until(l, 1, log, 3);
    BOOST_TEST(log == "++-");
    BOOST_TEST(a->closed);
    BOOST_TEST(!b->closed);
    l.stop();
    co_await l.ended();
  });
}

BOOST_AUTO_TEST_CASE(lives_without_a_ref_until_it_is_stopped) {
  rt.block_on([&]() -> task<> {
    std::optional<ref<listener>> l = open();
    weak_ref<listener> weak{*l};
    l.reset();
    knock();
    while (log.empty()) co_await yield();
    auto again = weak.lock();
    BOOST_REQUIRE(again);
    again->stop();
    co_await again->ended();
    BOOST_TEST(log == "+-");
  });
}

BOOST_AUTO_TEST_CASE(accepts_no_more_than_the_limit_until_one_has_ended) {
  rt.block_on([&]() -> task<> {
    auto l = open({.max_connections = 2});
    wire_ptr a = knock(), b = knock(), c = knock();
    co_await until(l, 2, log, 2);
    for (int i = 0; i < 100; ++i) co_await yield();
    BOOST_TEST(log == "++");
    BOOST_TEST(door->waiting.size() == 1U);
    b->end();
    co_await until(l, 2, log, 4);
    BOOST_TEST(log == "++-+");
    l.stop();
    co_await l.ended();
  });
}

BOOST_AUTO_TEST_CASE(stopped_it_closes_first_and_waits_for_its_connections) {
  rt.block_on([&]() -> task<> {
    auto l = open();
    wire_ptr a = knock(), b = knock();
    co_await until(l, 2, log, 2);
    l.stop();
    co_await l.ended();
    BOOST_TEST(log == "++--");
    BOOST_TEST(door->closed);
    BOOST_TEST(a->closed);
    BOOST_TEST(b->closed);
  });
}

BOOST_AUTO_TEST_CASE(an_accept_that_fails_is_reported_and_survived) {
  rt.block_on([&]() -> task<> {
    std::vector<boost::system::error_code> seen;
    auto report = [&](boost::system::error_code error) { seen.push_back(error); };
    auto l = open({.on_error = report});
    auto none_left = make_error_code(boost::system::errc::too_many_files_open);
    door->knock(none_left);
    door->knock(none_left);
    knock();
    co_await until(l, 1, log, 1);
    BOOST_REQUIRE(seen.size() == 2U);
    BOOST_TEST((seen[0] == none_left));
    l.stop();
    co_await l.ended();
  });
}

BOOST_AUTO_TEST_CASE(without_a_callback_a_failed_accept_is_a_line_in_the_log) {
  test::captured_log lines;
  rt.block_on([&]() -> task<> {
    auto l = open();
    door->knock(make_error_code(boost::system::errc::too_many_files_open));
    knock();
    co_await until(l, 1, log, 1);
    l.stop();
    co_await l.ended();
  });
  BOOST_TEST(lines.count("a connection could not be accepted: Too many open files") == 1U);
}

BOOST_AUTO_TEST_CASE(a_connection_that_fails_leaves_the_others_alone) {
  test::collected_failures failures;
  rt.block_on([&]() -> task<> {
    auto l = open();
    wire_ptr a = knock(), b = knock();
    co_await until(l, 2, log, 2);
    a->feed("!");
    co_await until(l, 1, log, 3);
    b->feed("b");
    knock();
    co_await until(l, 2, log, 5);
    BOOST_TEST(log.substr(0, 3) == "++-");
    BOOST_TEST(!b->closed);
    l.stop();
    co_await l.ended();
  });
  BOOST_TEST(failures.texts().size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_connection_that_cannot_be_made_is_closed_and_named) {
  test::captured_log lines;
  make = [this](io::stream peer) -> ref<guest> {
    if (log.empty()) {
      log = "x";
      throw std::runtime_error{"no chair"};
    }
    return spawn<guest>(std::move(peer), log);
  };
  rt.block_on([&]() -> task<> {
    auto l = open();
    wire_ptr a = knock(), b = knock();
    co_await until(l, 1, log, 2);
    BOOST_TEST(a->closed);
    BOOST_TEST(!b->closed);
    l.stop();
    co_await l.ended();
  });
  BOOST_TEST(lines.count("a connection could not be made: no chair") == 1U);
}

BOOST_AUTO_TEST_CASE(when_the_runtime_takes_in_no_more_it_ends_after_the_last_connection) {
  rt.block_on([&]() -> task<> {
    auto l = open();
    wire_ptr a = knock();
    co_await until(l, 1, log, 1);
    door->knock(make_error_code(errc::canceled));
    a->feed("a");
    co_await until(l, 1, log, 2);
    BOOST_TEST(log == "+a");
    BOOST_TEST(door->closed);
    a->end();
    exit_reason why = co_await l.ended();
    BOOST_TEST((why.kind == exit_kind::stopped));
    BOOST_TEST(log == "+a-");
  });
}

BOOST_AUTO_TEST_CASE(started_anew_by_a_supervisor_it_goes_on_with_the_same_port) {
  rt.block_on([&]() -> task<> {
    auto root = spawn<supervisor>();
    auto source = std::make_shared<io::listener>(io::open_scripted(door));
    auto l = spawn_child<listener>(root, source, make);
    source.reset();
    knock();
    co_await until(l, 1, log, 1);
    l.kill();
    knock();
    while (log.size() < 2) co_await yield();
    BOOST_TEST(!door->closed);
    root.stop();
    co_await l.ended();
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::actors
