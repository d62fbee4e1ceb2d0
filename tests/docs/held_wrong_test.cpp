// The programs of docs/held-wrong.md, in its order: each is held wrong, and the line that it prints
// names the marked line of this file. Those that do not compile are in tests/actor/wrong/.

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <boost/test/unit_test.hpp>

#include <troupe/actor/actor.hpp>
#include <troupe/net/tcp.hpp>
#include <troupe/net/unix.hpp>
#include <troupe/runtime/run.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sync/mpsc.hpp>
#include <troupe/sync/oneshot.hpp>
#include <troupe/task/failure.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/when_all.hpp>
#include <troupe/task/yield.hpp>

#include <captured_log.hpp>
#include <collected_failures.hpp>
#include <sched/virtual_worker.hpp>
#include <thrown_misuse.hpp>

#include "page_snippets.hpp"

using namespace std::chrono_literals;

namespace {

// --- a task is awaited twice

troupe::task<int> answer() { co_return 42; }

troupe::task<int> twice_wrong() {
  auto once = answer();
  int first = co_await std::move(once);
  int second = co_await std::move(once);
  co_return first + second;
}

troupe::task<int> twice_right() {
  int first = co_await answer();
  int second = co_await answer();
  co_return first + second;
}

// --- spawn() before run()

troupe::task<> hello() {
  fmt::print("hello\n");
  co_return;
}

int start_wrong() {
  troupe::spawn(hello);
  return 0;
}

int start_right() { return troupe::run(hello); }

// --- a socket before run()

int listen_wrong() {
  auto listener = troupe::net::tcp_listen("127.0.0.1", 0);
  return listener.port() == 0 ? 1 : 0;
}

troupe::task<int> listen() {
  auto listener = troupe::net::tcp_listen("127.0.0.1", 0);
  co_return listener.port() == 0 ? 1 : 0;
}

int listen_right() { return troupe::run(listen); }

// --- a ref is used after it was moved

struct add {
  int amount;
};
struct total {
  using reply = int;
};

class counter : public troupe::actor {
public:
  void on(add m) { sum_ += m.amount; }
  int on(total) { return sum_; }

private:
  int sum_ = 0;
};

troupe::task<> moved_wrong() {
  auto mine = troupe::spawn<counter>();
  auto yours = std::move(mine);
  co_await mine.send(add{1});
}

troupe::task<> moved_right() {
  auto mine = troupe::spawn<counter>();
  auto yours = mine;
  co_await mine.send(add{1});
}

// --- two tasks read from one stream

troupe::task<std::string> read_word(troupe::io::stream& from) {
  std::array<char, 64> buffer;
  std::size_t count = co_await from.read_some(buffer);
  co_return std::string(buffer.data(), count);
}

troupe::task<> readers_wrong(troupe::io::stream& from) {
  co_await troupe::when_all(read_word(from), read_word(from));
}

troupe::task<> pass_words_on(troupe::io::stream& from, troupe::sender<std::string> to) {
  for (;;) {
    std::string word = co_await read_word(from);
    if (word.empty()) co_return;
    co_await to.send(troupe::take(word));
  }
}

// --- a buffer without a size

troupe::task<std::size_t> buffer_wrong(troupe::io::stream& from) {
  std::vector<char> buffer;
  buffer.reserve(64);
  co_return co_await from.read_some(buffer);
}

troupe::task<std::size_t> buffer_right(troupe::io::stream& from) {
  std::vector<char> buffer(64);
  co_return co_await from.read_some(buffer);
}

// --- a oneshot sends twice

troupe::task<int> oneshot_wrong() {
  auto ends = troupe::oneshot<int>();
  ends.tx.send(1);
  ends.tx.send(2);
  co_return co_await ends.rx;
}

troupe::task<int> oneshot_right() {
  auto ends = troupe::mpsc<int>(2);
  co_await ends.tx.send(1);
  co_await ends.tx.send(2);
  auto first = co_await ends.rx.recv();
  co_return first.value();
}

// --- a channel without room

troupe::task<> capacity_wrong() {
  auto ends = troupe::mpsc<int>(0);
  co_await ends.tx.send(1);
}

troupe::task<> capacity_right() {
  auto ends = troupe::mpsc_unbounded<int>();
  co_await ends.tx.send(1);
}

// --- a handler blocks

struct look {
  using reply = int;
};

class front_wrong : public troupe::actor {
public:
  explicit front_wrong(troupe::ref<counter> back) : back_{std::move(back)} {}
  int on(look) { return back_.ask_blocking(total{}); }

private:
  troupe::ref<counter> back_;
};

class front_right : public troupe::actor {
public:
  explicit front_right(troupe::ref<counter> back) : back_{std::move(back)} {}
  troupe::task<int> on(look) { co_return co_await back_.ask(total{}); }

private:
  troupe::ref<counter> back_;
};

// --- self() in a constructor

struct tick {};

class clock_wrong : public troupe::actor {
public:
  clock_wrong() { ticks_ = self(this).send_every(1s, tick{}); }
  void on(tick) {}

private:
  std::optional<troupe::actor_timer> ticks_;
};

class clock_right : public troupe::actor {
public:
  void on_start() { ticks_ = self(this).send_every(1s, tick{}); }
  void on(tick) {}

private:
  std::optional<troupe::actor_timer> ticks_;
};

// --- two actors ask one another

struct price {
  using reply = int;
};
struct discount {
  using reply = int;
};

class shop_wrong;

struct friend_wrong {
  troupe::ref<shop_wrong> whom;
};

class shop_wrong : public troupe::actor {
public:
  void on(friend_wrong m) { other_ = std::move(m.whom); }
  troupe::task<int> on(price) { co_return 10 - co_await other_->ask(discount{}); }
  troupe::task<int> on(discount) { co_return co_await other_->ask(price{}) / 10; }

private:
  std::optional<troupe::ref<shop_wrong>> other_;
};

class shop_right;

struct friend_right {
  troupe::ref<shop_right> whom;
};

class shop_right : public troupe::actor {
public:
  void on(friend_right m) { other_ = std::move(m.whom); }
  troupe::task<int> on(price) { co_return price_ - co_await other_->ask(discount{}); }
  int on(discount) { return price_ / 10; }

private:
  std::optional<troupe::ref<shop_right>> other_;
  int price_ = 10;
};

// --- an exception that nobody awaits

troupe::task<> save() {
  throw std::runtime_error{"the disk is full"};
  co_return;
}

troupe::task<> failure_wrong() {
  troupe::spawn(save);
  co_return;
}

troupe::task<> failure_right() {
  try {
    co_await troupe::spawn(save);
  } catch (const std::runtime_error& error) {
    fmt::print("not saved: {}\n", error.what());
  }
}

constexpr const char* here = "tests/docs/held_wrong_test.cpp";

// Returns: `held_wrong_test.cpp:N`, where N is the first line of this file that is `text`.
std::string place_of(std::string_view text) {
  auto lines = troupe::test::stripped_lines(here);
  auto found = std::find(lines.begin(), lines.end(), text);
  BOOST_TEST_REQUIRE((found != lines.end()), text << " is no line of this file");
  return fmt::format("held_wrong_test.cpp:{}", found - lines.begin() + 1);
}

// Checks that `printed` is one line that names the line `culprit` of this file, and that the page
// shows its words.
void check(const std::string& printed, std::string_view culprit, const std::string& words) {
  BOOST_TEST(printed.find('\n') == std::string::npos, printed);
  BOOST_TEST(printed.find(place_of(culprit)) != std::string::npos,
             printed << "\nshould name " << place_of(culprit));
  BOOST_TEST(printed.find(words) != std::string::npos, printed);
  auto page = troupe::test::stripped_lines("docs/held-wrong.md");
  bool is_shown = std::any_of(page.begin(), page.end(), [&](const std::string& line) {
    return line.find(words) != std::string::npos;
  });
  BOOST_TEST(is_shown, words << " is not on the page");
}

template <class Main>
std::string line_of(troupe::runtime& rt, Main main) {
  return troupe::test::misuse_line_of([&] { rt.block_on(main); });
}

template <class A>
troupe::task<int> ask_front() {
  auto front = troupe::spawn<A>(troupe::spawn<counter>());
  co_return co_await front.ask(look{});
}

template <class A>
troupe::task<> start_clock() {
  auto made = troupe::spawn<A>();
  made.kill();
  co_await made.ended();
}

// Makes two of them friends, and asks the first for its price.
template <class Shop, class Friend>
troupe::task<int> ask_price() {
  auto one = troupe::spawn<Shop>(troupe::actor_options{.name = "bakery"});
  auto other = troupe::spawn<Shop>(troupe::actor_options{.name = "mill"});
  Friend of_one{other}, of_other{one};
  co_await one.send(troupe::take(of_one));
  co_await other.send(troupe::take(of_other));
  auto asked = co_await one.ask(price{}).as_result();
  one.kill();  // They know one another, and would live for ever.
  other.kill();
  co_return asked.has_value() ? *asked : 0;
}

// A runtime of one worker, with a network, and two ends of a connection.
struct connected {
  troupe::runtime rt{[] {
    troupe::runtime_config one;
    one.workers = 1;
    return one;
  }()};
  std::optional<std::pair<troupe::io::stream, troupe::io::stream>> ends;

  connected() {
    rt.block_on([this]() -> troupe::task<> {
      ends.emplace(troupe::net::stream_pair());
      co_return;
    });
  }
  ~connected() {
    rt.block_on([this]() -> troupe::task<> {
      ends.reset();
      co_return;
    });
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(held_wrong_page_)

BOOST_FIXTURE_TEST_CASE(a_task_is_awaited_twice, troupe::test::virtual_worker) {
  check(line_of(rt, twice_wrong), "int second = co_await std::move(once);",
        "a task was awaited twice: keep its value instead of awaiting it again [T04]");
  BOOST_TEST(rt.block_on(twice_right) == 84);
}

BOOST_AUTO_TEST_CASE(a_task_is_spawned_before_run) {
  check(troupe::test::misuse_line_of([] { start_wrong(); }), "troupe::spawn(hello);",
        "spawn() was called outside a runtime: call it in a task, or start one with "
        "troupe::run(main) [T02]");
  BOOST_TEST(start_right() == 0);
}

BOOST_AUTO_TEST_CASE(a_socket_is_opened_before_run) {
  check(troupe::test::misuse_line_of([] { listen_wrong(); }),
        "auto listener = troupe::net::tcp_listen(\"127.0.0.1\", 0);",
        "a net function was called outside a runtime: call it from a task, or start one with "
        "troupe::run(main) [I15]");
  BOOST_TEST(listen_right() == 0);
}

BOOST_FIXTURE_TEST_CASE(a_ref_is_used_after_it_was_moved, troupe::test::virtual_worker) {
  check(line_of(rt, moved_wrong), "co_await mine.send(add{1});",
        "a ref was used after it was moved from: copy it instead [A11]");
  rt.block_on(moved_right);
}

BOOST_FIXTURE_TEST_CASE(two_tasks_read_from_one_stream, connected) {
  auto wrong = [this] { return readers_wrong(ends->first); };
  check(line_of(rt, wrong), "std::size_t count = co_await from.read_some(buffer);",
        "two tasks read from one stream at once: let one read and pass on what it gets [I06]");
  auto right = [this]() -> troupe::task<std::string> {
    auto words = troupe::mpsc<std::string>(4);
    auto reading = troupe::spawn(pass_words_on, std::ref(ends->first), std::move(words.tx));
    co_await ends->second.write_all("word");
    auto word = co_await words.rx.recv();
    co_await ends->second.shutdown();
    co_await reading;
    co_return word.value();
  };
  BOOST_TEST(rt.block_on(right) == "word");
}

BOOST_FIXTURE_TEST_CASE(a_buffer_has_no_size, connected) {
  auto wrong = [this] { return buffer_wrong(ends->first); };
  check(line_of(rt, wrong), "co_return co_await from.read_some(buffer);",
        "read_some() was given an empty buffer: 0 would look like the end; resize() it [I08]");
  auto right = [this]() -> troupe::task<std::size_t> {
    co_await ends->second.write_all("word");
    co_return co_await buffer_right(ends->first);
  };
  BOOST_TEST(rt.block_on(right) == 4u);
}

BOOST_FIXTURE_TEST_CASE(a_oneshot_sends_twice, troupe::test::virtual_worker) {
  check(line_of(rt, oneshot_wrong), "ends.tx.send(2);",
        "a oneshot_sender was used twice: it sends one value [S12]");
  BOOST_TEST(rt.block_on(oneshot_right) == 1);
}

BOOST_FIXTURE_TEST_CASE(a_channel_has_no_room, troupe::test::virtual_worker) {
  check(line_of(rt, capacity_wrong), "auto ends = troupe::mpsc<int>(0);",
        "mpsc(capacity): the capacity must be from 1 to 65535; see mpsc_unbounded() [S11]");
  rt.block_on(capacity_right);
}

BOOST_FIXTURE_TEST_CASE(a_handler_blocks, troupe::test::virtual_worker) {
  troupe::test::collected_failures failures;
  std::string printed;
  auto former = troupe::set_misuse_handler([](const char* text) {
    throw std::logic_error{text};  // Which ends the actor, instead of the process.
  });
  auto asked = rt.block_on([]() -> troupe::task<bool> {
    auto front = troupe::spawn<front_wrong>(troupe::spawn<counter>());
    auto got = co_await front.ask(look{}).as_result();
    co_return got.has_value();
  });
  troupe::set_misuse_handler(former);
  BOOST_TEST(!asked);
  BOOST_TEST_REQUIRE(failures.texts().size() == 1u);
  check(failures.texts()[0], "int on(look) { return back_.ask_blocking(total{}); }",
        "block_on() was called on a worker of a runtime: co_await the task instead [S01]");
  BOOST_TEST(failures.texts()[0].find("front_wrong, handling ") != std::string::npos,
             failures.texts()[0]);
  BOOST_TEST(rt.block_on(ask_front<front_right>) == 0);
}

BOOST_FIXTURE_TEST_CASE(self_is_called_in_a_constructor, troupe::test::virtual_worker) {
  check(line_of(rt, start_clock<clock_wrong>),
        "clock_wrong() { ticks_ = self(this).send_every(1s, tick{}); }",
        "self() was called in an actor's constructor, where it is no actor yet: use on_start() "
        "[A06]");
  rt.block_on(start_clock<clock_right>);
}

BOOST_FIXTURE_TEST_CASE(two_actors_ask_one_another, troupe::test::virtual_worker) {
  troupe::test::collected_failures failures;
  int none = rt.block_on(ask_price<shop_wrong, friend_wrong>);
  BOOST_TEST(none == 0);
  BOOST_TEST_REQUIRE(!failures.texts().empty());
  std::string printed = failures.texts()[0];
  check(printed, "troupe::task<int> on(discount) { co_return co_await other_->ask(price{}) / 10; }",
        "the wait would close a cycle of actors that wait for each other (not run)");
  BOOST_TEST(printed.starts_with("mill -> bakery -> mill (at "), printed);
  int nine = rt.block_on(ask_price<shop_right, friend_right>);
  BOOST_TEST(nine == 9);
}

BOOST_FIXTURE_TEST_CASE(nobody_awaits_an_exception, troupe::test::virtual_worker) {
  troupe::test::captured_log log;
  auto former = troupe::set_failure_sink(nullptr);  // The one that writes to the log.
  rt.block_on([]() -> troupe::task<> {
    co_await failure_wrong();
    co_await troupe::yield();
  });
  troupe::set_failure_sink(former);
  BOOST_TEST_REQUIRE(log.lines().size() == 1u);
  check(log.lines()[0], "troupe::spawn(save);", "ended with an exception: the disk is full");
  rt.block_on(failure_right);
}

BOOST_AUTO_TEST_CASE(every_snippet_of_the_page_is_compiled) {
  std::vector<std::string> sources{here};
  for (const char* name :
       {"ask_without_handler", "await_in_a_plain_handler", "forgotten_await_of_send",
        "forgotten_await_of_task", "message_does_not_move", "reply_disagrees",
        "spawn_of_what_takes_a_reference", "task_awaited_as_an_lvalue"}) {
    sources.push_back(fmt::format("tests/actor/wrong/{}.cpp", name));
  }
  BOOST_TEST(troupe::test::check_snippets("docs/held-wrong.md", sources) == 40);
}

BOOST_AUTO_TEST_SUITE_END()
