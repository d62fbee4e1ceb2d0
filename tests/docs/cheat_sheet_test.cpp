// The snippets of docs/cheat-sheet.md and of AGENTS.md. Each block of these pages stands here line
// by line, but for the indentation; the last cases hold that.

#include <chrono>
#include <cstdint>
#include <functional>
#include <numeric>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include <fmt/core.h>
#include <boost/test/unit_test.hpp>

#include <troupe/actor/registry.hpp>
#include <troupe/actor/supervisor.hpp>
#include <troupe/base/take.hpp>
#include <troupe/io/framing.hpp>
#include <troupe/net/tcp.hpp>
#include <troupe/runtime/run.hpp>
#include <troupe/sched/interval.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sched/spawn_blocking.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/sim/probe.hpp>
#include <troupe/sync/merge.hpp>
#include <troupe/sync/mpsc.hpp>
#include <troupe/sync/oneshot.hpp>
#include <troupe/task/scope.hpp>
#include <troupe/task/select.hpp>
#include <troupe/task/shield.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/when_all.hpp>
#include <troupe/task/yield.hpp>

#include <sched/virtual_worker.hpp>

#include "page_snippets.hpp"

using namespace std::chrono_literals;

namespace {

// ---- tasks -------------------------------------------------------------------------------------

troupe::task<> hello() {
  fmt::print("hello\n");
  co_return;
}

int hello_on_two_workers() {
  troupe::runtime_config config;
  config.workers = 2;
  return troupe::run(config, hello);
}

troupe::task<int> twice(int n) { co_return 2 * n; }
troupe::task<> wait_long() { co_await troupe::sleep_for(24h); }

troupe::task<int> use_tasks() {
  int n = co_await twice(1);              // Runs here, as a part of this task.
  auto handle = troupe::spawn(twice, n);  // Runs beside it; dropped, it goes on alone.
  int m = co_await handle;                // Its value, or what it threw.
  auto other = troupe::spawn(wait_long);
  co_await other.cancel();  // Asks it to stop, and waits until it has unwound.
  co_return m;
}

void add_to(int& sum, int n) { sum += n; }

troupe::task<int> use_scope(std::vector<int> parts) {
  int sum = 0;  // (A plain number, since this runs on one worker.)
  co_await troupe::scope([&](troupe::scope_handle s) -> troupe::task<> {
    for (int part : parts) s.spawn(add_to, std::ref(sum), part);
    co_return;
  });  // All have ended here, whatever happened.
  co_return sum;
}

troupe::task<int> use_when_all() {
  auto both = co_await troupe::when_all(twice(1), twice(2));
  auto& [a, b] = both;
  co_return a + b;
}

troupe::task<std::string> first_of(troupe::receiver<std::string>& rx) {
  auto first = co_await troupe::select(rx.recv(), troupe::sleep_for(1s));
  if (first.index() == 1) co_return "nothing came";
  co_return std::get<0>(first).value_or("the end");
}

troupe::task<> say_bye() { co_await troupe::sleep_for(1ms); }

troupe::task<> with_cleanup() {
  bool is_stopped = false;
  try {
    co_await wait_long();
  } catch (const troupe::canceled&) {
    is_stopped = true;  // A handler cannot await.
  }
  co_await troupe::shield(say_bye());
  if (is_stopped) throw troupe::canceled{};
}

std::string read_slowly() { return "text"; }
int count_words(const std::string& text) { return text.empty() ? 0 : 1; }

troupe::task<int> outside_the_workers() {
  std::string text = co_await troupe::spawn_blocking([] { return read_slowly(); });
  int sum = 0;
  for (int i = 0; i < 1000; ++i) {
    sum += count_words(text);
    if (i % 100 == 0) co_await troupe::yield();  // Lets others run.
  }
  co_return sum;
}

// ---- time --------------------------------------------------------------------------------------

troupe::task<std::string> within_time(troupe::receiver<std::string>& rx) {
  auto got = co_await troupe::timeout(50ms, rx.recv()).as_result();
  if (!got) co_return got.error().message();  // errc::timed_out
  co_return got->value_or("the end");
}

troupe::task<int> count_ticks(int most) {
  int ticks = 0;
  troupe::interval every{30s};  // Does not drift; the first tick comes after 30 s.
  while (ticks < most) {
    co_await every.next();
    ++ticks;
  }
  co_return ticks;
}

// ---- channels ----------------------------------------------------------------------------------

troupe::task<> tell(troupe::sender<std::string> tx) {
  co_await tx.send("one");  // Waits for room.
  std::string two = "two";
  co_await tx.send(troupe::take(two));
}  // The last sender is gone: the channel ends.

troupe::task<std::string> listen() {
  auto ends = troupe::mpsc<std::string>(16);
  troupe::spawn(tell, std::move(ends.tx));
  std::string heard;
  while (auto word = co_await ends.rx.recv()) heard += *word + ' ';
  co_return heard;
}

using question = troupe::oneshot_sender<int>;

troupe::task<> answer_all(troupe::receiver<question> rx) {
  int last = 0;
  while (auto each = co_await rx.recv()) each->send(++last);
}

troupe::task<int> ask_by_channel(troupe::sender<question> tx) {
  auto ends = troupe::oneshot<int>();
  co_await tx.send(std::move(ends.tx));
  co_return co_await ends.rx;
}

troupe::task<int> sum_up(troupe::receiver<int> rx) {
  int sum = 0, reports = 0;
  auto items = troupe::merge(rx, troupe::interval{30s});
  for (;;) {
    auto item = co_await items.next();
    if (auto* n = std::get_if<0>(&item)) sum += *n;  // A value.
    if (item.index() == 1) ++reports;                // A tick.
    if (item.index() == 2) break;                    // The channel has ended.
  }
  co_return sum + reports;
}

// ---- actors ------------------------------------------------------------------------------------

struct add {
  std::int64_t amount;
};
struct total {
  using reply = std::int64_t;
};
struct fetch {
  int page;
};
struct next_change {};
struct report {};
struct state {};

class counter : public troupe::actor {
public:
  explicit counter(std::int64_t first) : sum_{first} {}

  void on_start() { self(this).send_every(10s, report{}); }  // Ends with the actor.

  void on(add m) {  // No lock: handlers of one actor never run at the same time.
    sum_ += m.amount;
    for (auto& each : waiting_) each.answer(sum_);
    waiting_.clear();
  }
  std::int64_t on(total) { return sum_; }        // What it returns is the answer.
  troupe::task<std::string> on(fetch m) {        // Waits; other mail waits meanwhile.
    co_await troupe::sleep_for(10ms);            // With a second parameter, interleaved,
    co_return "page " + std::to_string(m.page);  // other mail would go on.
  }
  void on(next_change, troupe::reply<std::int64_t> back) {  // Answers later.
    waiting_.push_back(std::move(back));
  }
  void on(report) { fmt::print("{}\n", sum_); }

private:
  std::int64_t sum_;
  std::vector<troupe::reply<std::int64_t>> waiting_;
};

troupe::task<std::int64_t> use_actor() {
  auto c = troupe::spawn<counter>(0);  // Lives until the last ref is gone.
  co_await c.send(add{2});             // Waits for room in its mailbox.
  auto sent = c.try_send(add{3});      // Never waits; says whether there was room.
  std::int64_t sum = co_await c.ask(total{});
  auto again = co_await c.ask(total{}, troupe::within{50ms}).as_result();
  if (!again && !troupe::may_have_run(again.error())) {
    // It was not begun: to ask again is safe.
  }
  c.stop();  // After the handler it is in; kill() breaks that off, too.
  co_await c.ended();
  co_return sent ? sum : -1;
}

troupe::task<std::int64_t> wait_for_change(troupe::ref<counter> c) {
  co_return co_await c.ask(next_change{});
}

class watcher : public troupe::actor {
public:
  explicit watcher(troupe::ref<counter> of) : of_{std::move(of)} {}
  void on_start() { self(this).monitor(of_); }
  void on(const troupe::down& d) { last_ = d.name + ": " + to_string(d.why); }
  std::string on(state) { return last_; }

private:
  troupe::ref<counter> of_;
  std::string last_ = "lives";
};

troupe::task<std::int64_t> supervise() {
  auto root = troupe::spawn<troupe::supervisor>();
  auto child = troupe::spawn_child<counter>(root, 7);  // Same address after a restart.
  if (!troupe::register_actor("sums", child)) co_return -1;
  auto found = troupe::find_actor<counter>("sums");
  co_return co_await found.value().ask(total{});
}

troupe::ref<counter> with_options() {
  troupe::actor_options options;
  options.name = "sums";
  options.capacity = 16;
  options.when_full = troupe::overflow::reject;
  return troupe::spawn<counter>(options, 0);
}

using summing = troupe::protocol<add, std::int64_t(total)>;

troupe::task<std::int64_t> add_twice(troupe::ref<summing> any) {
  co_await any.send(add{1});
  co_await any.send(add{1});
  co_return co_await any.ask(total{});
}

// ---- what to keep in mind ----------------------------------------------------------------------

struct note {
  int number;
  std::string text;
};

class notebook : public troupe::actor {
public:
  void on(note m) { notes_.push_back(std::move(m)); }
  std::size_t on(state) { return notes_.size(); }

private:
  std::vector<note> notes_;
};

troupe::task<bool> is_new(troupe::ref<notebook> in) { co_return 0 == co_await in.ask(state{}); }

troupe::task<> fill(troupe::ref<notebook> in, std::string text) {
  bool is_first = co_await is_new(in);  // Named, not awaited in the condition.
  if (!is_first) co_return;
  note m{1, std::move(text)};  // Named, not made within the co_await.
  co_await in.send(troupe::take(m));
}

troupe::task<std::int64_t> ask_patiently(troupe::ref<counter> c) {
  for (;;) {
    auto sum = co_await c.ask(total{}, troupe::within{200ms}).as_result();
    if (sum) co_return *sum;
    if (troupe::may_have_run(sum.error())) throw troupe::system_error{sum.error()};
    co_await troupe::sleep_for(100ms);  // It was not begun: to ask again is safe.
  }
}

// ---- network -----------------------------------------------------------------------------------

troupe::task<> serve_one(troupe::io::stream peer) {
  troupe::io::line_reader lines{peer, 4096};
  while (auto line = co_await lines.next_line()) {
    std::string answer = *line + "\n";
    co_await peer.write_all(answer);
  }
}

troupe::task<> serve_all(troupe::io::listener listener) {
  for (;;) troupe::spawn(serve_one, co_await listener.accept());
}

troupe::task<std::string> call(std::uint16_t port) {
  auto peer = co_await troupe::timeout(2s, troupe::net::tcp_connect("localhost", port));
  co_await peer.write_all("hello\n");
  troupe::io::line_reader lines{peer, 4096};
  auto line = co_await lines.next_line();
  co_return line.value_or("");
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(cheat_sheet_, troupe::test::virtual_worker)

BOOST_AUTO_TEST_CASE(a_program_runs) { BOOST_TEST(hello_on_two_workers() == 0); }

BOOST_AUTO_TEST_CASE(tasks_are_spawned_and_awaited) {
  BOOST_TEST(rt.block_on(use_tasks) == 4);
  BOOST_TEST(rt.block_on(use_scope, std::vector{1, 2, 3}) == 6);
  BOOST_TEST(rt.block_on(use_when_all) == 6);
  BOOST_TEST(rt.block_on(outside_the_workers) == 1000);
}

BOOST_AUTO_TEST_CASE(waits_are_limited) {
  auto work = []() -> troupe::task<std::string> {
    auto ends = troupe::mpsc<std::string>(1);
    std::string found = co_await first_of(ends.rx);
    std::string late = co_await within_time(ends.rx);
    co_await ends.tx.send("one");
    std::string word = co_await first_of(ends.rx);
    co_return found + ", " + late + ", " + word;
  };
  BOOST_TEST(rt.block_on(work) == "nothing came, " +
                                      troupe::make_error_code(troupe::errc::timed_out).message() +
                                      ", one");
  BOOST_TEST(rt.block_on(count_ticks, 3) == 3);
}

BOOST_AUTO_TEST_CASE(a_stopped_task_cleans_up_and_stays_stopped) {
  auto work = []() -> troupe::task<bool> {
    auto handle = troupe::spawn(with_cleanup);
    co_await troupe::yield();
    co_await handle.cancel();
    bool is_canceled = false;
    try {
      co_await handle;
    } catch (const troupe::canceled&) {
      is_canceled = true;
    }
    co_return is_canceled;
  };
  BOOST_TEST(rt.block_on(work));
}

BOOST_AUTO_TEST_CASE(channels_end_with_their_senders) {
  BOOST_TEST(rt.block_on(listen) == "one two ");
  auto ask = []() -> troupe::task<int> {
    auto ends = troupe::mpsc<question>(4);
    troupe::spawn(answer_all, std::move(ends.rx));
    int first = co_await ask_by_channel(ends.tx);
    int second = co_await ask_by_channel(std::move(ends.tx));
    co_return 10 * first + second;
  };
  BOOST_TEST(rt.block_on(ask) == 12);
  auto merged = []() -> troupe::task<int> {
    auto ends = troupe::mpsc<int>(4);
    auto sum = troupe::spawn(sum_up, std::move(ends.rx));
    co_await ends.tx.send(5);
    co_await troupe::sleep_for(31s);
    {
      auto last = std::move(ends.tx);
    }
    co_return co_await sum;
  };
  BOOST_TEST(rt.block_on(merged) == 6);
}

BOOST_AUTO_TEST_CASE(actors_answer) {
  BOOST_TEST(rt.block_on(use_actor) == 5);
  BOOST_TEST(rt.block_on(supervise) == 7);
  auto work = []() -> troupe::task<std::string> {
    auto c = with_options();
    auto watching = troupe::spawn<watcher>(c);
    std::int64_t sum = co_await add_twice(c);
    std::string page = co_await c.ask(fetch{1});
    auto later = troupe::spawn(wait_for_change, c);
    co_await troupe::yield();
    co_await c.send(add{1});
    std::int64_t changed = co_await later;
    c.stop();
    co_await c.ended();
    std::string told = co_await watching.ask(state{});
    co_return fmt::format("{} {} {} {}", sum, page, changed, told);
  };
  BOOST_TEST(rt.block_on(work) == "2 page 1 3 sums: stopped");
}

BOOST_AUTO_TEST_CASE(what_is_named_first_is_sent) {
  auto work = []() -> troupe::task<std::int64_t> {
    auto book = troupe::spawn<notebook>();
    co_await fill(book, "one");
    co_await fill(book, "two");
    std::size_t notes = co_await book.ask(state{});
    std::int64_t sum = co_await ask_patiently(troupe::spawn<counter>(5));
    co_return 10 * static_cast<std::int64_t>(notes) + sum;
  };
  BOOST_TEST(rt.block_on(work) == 15);
}

BOOST_AUTO_TEST_CASE(a_server_answers_lines) {
  troupe::runtime networked;
  auto work = []() -> troupe::task<std::string> {
    troupe::io::listener listener = troupe::net::tcp_listen("127.0.0.1", 0);
    std::uint16_t port = listener.port();
    auto serving = troupe::spawn(serve_all, std::move(listener));
    std::string answer = co_await call(port);
    co_await serving.cancel();
    co_return answer;
  };
  BOOST_TEST(networked.block_on(work) == "hello");
}

BOOST_AUTO_TEST_CASE(an_actor_is_tested_in_a_world) {
  auto make_counter = []() -> troupe::task<troupe::ref<counter>> {
    co_return troupe::spawn<counter>(0);
  };
  troupe::sim::world world{1};  // A seed: which turn is next, what breaks.
  auto& node = world.add_node("server");
  auto c = node.block_on(make_counter);
  troupe::sim::inject(node, c, add{2});  // Its handler runs, and nothing else.
  world.advance(15s);                    // Takes no time.
  auto sum = node.block_on(
      [c]() mutable -> troupe::task<std::int64_t> { co_return co_await c.ask(total{}); });
  BOOST_TEST(sum == 2);
}

BOOST_AUTO_TEST_CASE(every_snippet_of_the_cheat_sheet_is_compiled_here) {
  BOOST_TEST(troupe::test::check_snippets(
                 {"docs/cheat-sheet.md", "tests/docs/cheat_sheet_test.cpp"}) == 23);
}

BOOST_AUTO_TEST_CASE(every_snippet_for_assistants_is_compiled_here) {
  BOOST_TEST(troupe::test::check_snippets({"AGENTS.md", "tests/docs/cheat_sheet_test.cpp"}) == 7);
}

BOOST_AUTO_TEST_SUITE_END()
