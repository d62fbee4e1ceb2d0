#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <actors/connection.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/task/yield.hpp>

#include <collected_failures.hpp>
#include <io/scripted_wire.hpp>
#include <sched/virtual_worker.hpp>

namespace troupe::actors {

using namespace std::chrono_literals;

namespace {

struct push {
  std::string text;
};
struct pushed {};

class echo final : public connection {
public:
  echo(io::stream peer, std::string& log, connection_options options)
      : connection{std::move(peer), options}, log_{&log} {}

  task<> on(push m) {
    bool was_taken = co_await write(m.text);
    *log_ += was_taken ? "taken;" : "refused;";
  }
  int on(pushed) { return 0; }

private:
  task<> on_frame(std::string line) override {
    if (line == "throw") throw std::runtime_error{"it was told to"};
    co_await write(line + "\n");
    if (line == "bye") self().stop();
  }
  void on_end(boost::system::error_code error) override {
    *log_ += error ? "end: " + error.message() : std::string{"end"};
  }

  std::string* log_;
};

struct wired : test::virtual_worker {
  std::shared_ptr<io::scripted_wire> wire = std::make_shared<io::scripted_wire>();
  std::string log;

  ref<echo> connect(connection_options options = {}) {
    return spawn<echo>(io::open_scripted(wire), log, options);
  }
  task<> until_sent(std::string text) {
    while (wire->outgoing != text) co_await yield();
  }
  // The clock does not move by itself while somebody waits for a peer, and a worker that goes on
  // has its eyes on timers every 61 turns.
  task<> pass(duration time) {
    for (int i = 0; i < 200; ++i) co_await yield();
    clock.advance(time);
    for (int i = 0; i < 200; ++i) co_await yield();
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(connection_, wired)

BOOST_AUTO_TEST_CASE(each_frame_is_handled_and_the_peers_end_is_its_own) {
  rt.block_on([&]() -> task<> {
    auto c = connect();
    wire->feed("one\ntw");
    wire->feed("o\r\n");
    co_await until_sent("one\ntwo\n");
    wire->end();
    exit_reason why = co_await c.ended();
    BOOST_TEST((why.kind == exit_kind::stopped));
    BOOST_TEST(log == "end");
    BOOST_TEST(wire->shut_down);
    BOOST_TEST(wire->closed);
  });
}

BOOST_AUTO_TEST_CASE(mail_is_handled_while_it_waits_for_a_frame) {
  rt.block_on([&]() -> task<> {
    auto c = connect();
    push m{"from afar\n"};
    co_await c.send(take(m));
    co_await until_sent("from afar\n");
    wire->feed("one\n");
    co_await until_sent("from afar\none\n");
    c.stop();
    co_await c.ended();
    BOOST_TEST(log == "taken;");
  });
}

BOOST_AUTO_TEST_CASE(what_was_written_before_it_stops_is_sent) {
  rt.block_on([&]() -> task<> {
    wire->max_chunk = 2;
    auto c = connect();
    wire->feed("one\nbye\n");
    co_await c.ended();
    BOOST_TEST(wire->outgoing == "one\nbye\n");
    BOOST_TEST(wire->shut_down);
  });
}

BOOST_AUTO_TEST_CASE(a_slow_peer_makes_writers_wait) {
  rt.block_on([&]() -> task<> {
    wire->room = 0;
    auto c = connect({.max_unsent_frames = 2});
    for (int i = 0; i < 6; ++i) {
      push m{"12345678\n"};
      co_await c.send(take(m));
    }
    for (int i = 0; i < 50; ++i) co_await yield();
    std::size_t taken = log.size() / std::string{"taken;"}.size();
    BOOST_TEST(taken < 6U);
    wire->make_room(1000);
    (void)co_await c.ask(pushed{});
    BOOST_TEST(log == "taken;taken;taken;taken;taken;taken;");
    while (wire->outgoing.size() != 6 * 9) co_await yield();
    c.stop();
    co_await c.ended();
  });
}

BOOST_AUTO_TEST_CASE(a_peer_that_takes_nothing_for_too_long_is_given_up) {
  rt.block_on([&]() -> task<> {
    wire->room = 4;
    auto c = connect({.max_unsent_frames = 1, .write_limit = 10s});
    for (int i = 0; i < 4; ++i) {
      push m{"12345678\n"};
      co_await c.send(take(m));
    }
    co_await pass(9s);
    BOOST_TEST(!c.has_ended());
    co_await pass(2s);
    co_await c.ended();
    BOOST_TEST(wire->outgoing == "1234");
    BOOST_TEST(wire->closed);
    BOOST_TEST(log.find("end: ") != std::string::npos, log);
    BOOST_TEST(log.find("refused;") != std::string::npos, log);
  });
}

BOOST_AUTO_TEST_CASE(a_silent_peer_is_given_up_after_the_idle_limit) {
  rt.block_on([&]() -> task<> {
    auto c = connect({.idle_limit = 60s});
    co_await pass(59s);
    wire->feed("one\n");
    co_await until_sent("one\n");
    co_await pass(59s);
    BOOST_TEST(log == "");
    co_await pass(2s);
    co_await c.ended();
    BOOST_TEST(log == "end: " + make_error_code(errc::timed_out).message());
  });
}

BOOST_AUTO_TEST_CASE(a_frame_that_is_too_long_is_the_end) {
  rt.block_on([&]() -> task<> {
    auto c = connect({.max_frame_bytes = 4});
    wire->feed("four\nfive5\n");
    co_await c.ended();
    BOOST_TEST(wire->outgoing == "four\n");
    BOOST_TEST(log == "end: " + make_error_code(errc::too_long).message());
  });
}

BOOST_AUTO_TEST_CASE(an_exception_of_a_frames_handler_ends_the_actor_as_failed) {
  test::collected_failures failures;
  rt.block_on([&]() -> task<> {
    auto c = connect();
    wire->feed("throw\n");
    exit_reason why = co_await c.ended();
    BOOST_TEST((why.kind == exit_kind::failed));
  });
  BOOST_TEST(failures.texts() == std::vector<std::string>{"it was told to"},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(frames_may_be_cut_otherwise_than_into_lines) {
  // A byte that says how many follow.
  class counted final : public connection {
  public:
    using connection::connection;

  private:
    task<std::optional<std::string>> next_frame() override {
      char length = 0;
      std::size_t got = co_await peer().read_some(std::span{&length, 1});
      if (got == 0) co_return std::nullopt;
      std::string frame(static_cast<std::size_t>(length), ' ');
      co_await peer().read_exactly(std::span{frame.data(), frame.size()});
      co_return frame;
    }
    task<> on_frame(std::string frame) override { co_await write("<" + frame + ">"); }
  };
  rt.block_on([&]() -> task<> {
    auto c = spawn<counted>(io::open_scripted(wire));
    wire->feed("\3one\5th");
    wire->feed("ree\2");
    wire->end();
    co_await c.ended();
    BOOST_TEST(wire->outgoing == "<one><three>");
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::actors
