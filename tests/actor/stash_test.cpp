#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/actor/supervisor.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/yield.hpp>

#include <sched/virtual_worker.hpp>
#include <thrown_misuse.hpp>

namespace troupe {

using namespace std::chrono_literals;

namespace {

struct page {
  std::string text;
};
struct leaf {
  std::string text;
};
struct question {
  int value;
};
struct slow_question {
  int value;
};
struct open_up {};
struct crash {};

// Puts everything aside until it is opened.
class gate : public actor {
public:
  explicit gate(std::vector<std::string>& log) : log_{&log} {}

  void on(page m) {
    if (!is_open_) return self().stash(std::move(m));
    log_->push_back(m.text);
  }
  void on(leaf&& m) {
    if (!is_open_) return self().stash(std::move(m));
    log_->push_back(m.text);
  }
  int on(question m) {
    log_->push_back("asked");
    if (!is_open_) self().stash(std::move(m));
    return is_open_ ? 2 * m.value : -1;
  }
  task<std::string> on(slow_question m) {
    co_await yield();
    bool was_open = is_open_;
    if (!was_open) self().stash(std::move(m));
    co_await yield();
    co_return was_open ? std::to_string(m.value) : "not this";
  }
  void on(open_up) {
    is_open_ = true;
    self().unstash();
  }
  void on(crash) { throw std::runtime_error{"crashed"}; }

private:
  std::vector<std::string>* log_;
  bool is_open_ = false;
};

std::string long_text(char of) { return std::string(100, of); }

struct tick {
  std::string text;
};
struct cancel {};
struct demonitor {
  actor_id who;
};
// Puts ticks and downs aside until it is opened.
class patient : public actor {
public:
  explicit patient(std::vector<std::string>& log) : log_{&log} {}
  void on_start() {
    (void)self(this).send_after(1s, tick{"once " + long_text('x')});
    (void)self(this).send_after(2s, tick{"again"});
    repeated_ = self(this).send_every(10s, tick{"every"});
  }
  void on(tick m) {
    if (!is_open_) return self().stash(std::move(m));
    log_->push_back(m.text);
  }
  void on(const ref<gate>& whom) { self(this).monitor(whom); }
  void on(down m) {
    if (!is_open_) return self().stash(std::move(m));
    log_->push_back(m.name + (m.restarts ? " restarts" : " ends"));
  }
  void on(cancel) { repeated_.cancel(); }
  void on(demonitor m) { self(this).demonitor(m.who); }
  void on(open_up) {
    is_open_ = true;
    self().unstash();
  }
  void on(crash) { throw std::runtime_error{"crashed"}; }

private:
  std::vector<std::string>* log_;
  bool is_open_ = false;
  actor_timer repeated_;
};

template <class T>
boost::system::error_code code_of(const result<T>& outcome) {
  return outcome.has_error() ? outcome.error() : boost::system::error_code{};
}

// One worker on a virtual clock: after this nothing can run any more.
task<> until_idle() { co_await sleep_for(1ms); }

}  // namespace

BOOST_FIXTURE_TEST_SUITE(stash_, test::virtual_worker)

BOOST_AUTO_TEST_CASE(what_was_put_aside_comes_in_its_order_and_before_other_mail) {
  std::vector<std::string> log;
  rt.block_on([&]() -> task<> {
    auto g = spawn<gate>(log);
    for (const char* text : {"a", "b"}) BOOST_TEST(g.try_send(page{text}).has_value());
    BOOST_TEST(g.try_send(open_up{}).has_value());
    BOOST_TEST(g.try_send(page{"c"}).has_value());
    co_await until_idle();
    std::vector<std::string> wanted{"a", "b", "c"};
    BOOST_TEST(log == wanted, boost::test_tools::per_element());
  });
}

BOOST_AUTO_TEST_CASE(unstash_by_a_message_that_is_alone_does_not_let_the_actor_sleep) {
  std::vector<std::string> log;
  rt.block_on([&]() -> task<> {
    auto g = spawn<gate>(log);
    BOOST_TEST(g.try_send(page{"a"}).has_value());
    co_await until_idle();
    BOOST_TEST(g.try_send(open_up{}).has_value());
    co_await until_idle();
    BOOST_REQUIRE(log.size() == 1u);
    BOOST_TEST(log[0] == "a");
  });
}

BOOST_AUTO_TEST_CASE(a_message_that_is_taken_by_reference_is_put_aside_whole) {
  std::vector<std::string> log;
  rt.block_on([&]() -> task<> {
    auto g = spawn<gate>(log);
    for (char each : {'x', 'y'}) BOOST_TEST(g.try_send(leaf{long_text(each)}).has_value());
    co_await until_idle();
    BOOST_TEST(g.try_send(open_up{}).has_value());
    co_await until_idle();
    std::vector<std::string> wanted{long_text('x'), long_text('y')};
    BOOST_TEST(log == wanted, boost::test_tools::per_element());
  });
}

BOOST_AUTO_TEST_CASE(a_request_is_answered_when_it_is_handled_again) {
  std::vector<std::string> log;
  rt.block_on([&]() -> task<> {
    auto g = spawn<gate>(log);
    auto plain = spawn([g]() -> task<int> { co_return co_await g.ask(question{21}); });
    auto slow = spawn([g]() -> task<std::string> { co_return co_await g.ask(slow_question{4}); });
    co_await until_idle();
    BOOST_TEST(!plain.done());
    BOOST_TEST(!slow.done());
    BOOST_TEST(g.try_send(open_up{}).has_value());
    BOOST_TEST((co_await plain) == 42);
    BOOST_TEST((co_await slow) == "4");
  });
}

BOOST_AUTO_TEST_CASE(what_is_put_aside_takes_no_room) {
  for (std::uint16_t capacity : {std::uint16_t{2}, std::uint16_t{64}}) {
    std::vector<std::string> log;
    rt.block_on([&]() -> task<> {
      auto g = spawn<gate>(actor_options{.capacity = capacity}, log);
      for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < capacity; ++i) BOOST_TEST(g.try_send(page{"p"}).has_value());
        BOOST_TEST(!g.try_send(page{"too many"}).has_value());
        co_await until_idle();
      }
      BOOST_TEST(g.try_send(open_up{}).has_value());
      co_await until_idle();
      BOOST_TEST(log.size() == 3u * capacity);
      for (int i = 0; i < capacity; ++i) BOOST_TEST(g.try_send(page{"p"}).has_value());
      BOOST_TEST(!g.try_send(page{"too many"}).has_value());
      co_await until_idle();
    });
  }
}

BOOST_AUTO_TEST_CASE(a_request_that_was_withdrawn_is_not_handled_again) {
  std::vector<std::string> log;
  rt.block_on([&]() -> task<> {
    auto g = spawn<gate>(log);
    auto asking = spawn([g]() -> task<> { (void)co_await g.ask(question{1}); });
    co_await until_idle();
    co_await asking.cancel();
    BOOST_TEST(g.try_send(open_up{}).has_value());
    co_await until_idle();
    BOOST_TEST(log.size() == 1u);
    BOOST_TEST((co_await g.ask(question{3})) == 6);
  });
}

BOOST_AUTO_TEST_CASE(the_end_reports_and_fails_what_was_put_aside) {
  static int lost = 0;
  lost = 0;
  auto former = set_undelivered_sink([](const undelivered&) { ++lost; });
  std::vector<std::string> log;
  rt.block_on([&]() -> task<> {
    for (bool is_killed : {false, true}) {
      auto g = spawn<gate>(log);
      auto asking = spawn([g]() -> task<boost::system::error_code> {
        co_return code_of(co_await g.ask(question{1}).as_result());
      });
      for (int i = 0; i < 2; ++i) BOOST_TEST(g.try_send(page{"p"}).has_value());
      co_await until_idle();
      is_killed ? g.kill() : g.stop();
      BOOST_TEST(((co_await asking) == ask_errc::receiver_gone));
    }
  });
  set_undelivered_sink(former);
  BOOST_TEST(lost == 4);
}

BOOST_AUTO_TEST_CASE(a_restart_brings_back_what_was_put_aside) {
  std::vector<std::string> log;
  rt.block_on([&]() -> task<> {
    auto root = spawn<supervisor>();
    auto g = spawn_child<gate>(root, std::ref(log));
    for (const char* text : {"a", "b"}) BOOST_TEST(g.try_send(page{text}).has_value());
    co_await until_idle();
    BOOST_TEST(g.try_send(crash{}).has_value());
    BOOST_TEST(g.try_send(page{"c"}).has_value());
    BOOST_TEST(g.try_send(open_up{}).has_value());
    co_await until_idle();
    std::vector<std::string> wanted{"a", "b", "c"};
    BOOST_TEST(log == wanted, boost::test_tools::per_element());
    root.stop();
    co_await g.ended();
  });
}

BOOST_AUTO_TEST_CASE(a_delegated_request_is_answered_when_it_is_handled_again) {
  class desk : public actor {
  public:
    explicit desk(ref<gate> behind) : behind_{std::move(behind)} {}
    void on(question m, reply<int> back) { behind_.delegate(m, std::move(back)); }
    void on(slow_question m, reply<std::string> back) { behind_.delegate(m, std::move(back)); }

  private:
    ref<gate> behind_;
  };
  std::vector<std::string> log;
  rt.block_on([&]() -> task<> {
    auto g = spawn<gate>(log);
    auto d = spawn<desk>(g);
    auto plain = spawn([d]() -> task<int> { co_return co_await d.ask(question{21}); });
    auto slow = spawn([d]() -> task<std::string> { co_return co_await d.ask(slow_question{4}); });
    auto given_up = spawn([d]() -> task<> { (void)co_await d.ask(question{1}); });
    co_await until_idle();
    BOOST_TEST(!plain.done());
    BOOST_TEST(!slow.done());
    co_await given_up.cancel();
    BOOST_TEST(g.try_send(open_up{}).has_value());
    BOOST_TEST((co_await plain) == 42);
    BOOST_TEST((co_await slow) == "4");
    BOOST_TEST((co_await d.ask(question{2})) == 4);
    BOOST_TEST(std::count(log.begin(), log.end(), "asked") == 4);  // Not the one that was given up.
    g.stop();
    co_await g.ended();
  });
}

BOOST_AUTO_TEST_CASE(the_end_fails_a_delegated_request_that_was_put_aside) {
  class desk : public actor {
  public:
    explicit desk(ref<gate> behind) : behind_{std::move(behind)} {}
    void on(question m, reply<int> back) { behind_.delegate(m, std::move(back)); }

  private:
    ref<gate> behind_;
  };
  std::vector<std::string> log;
  rt.block_on([&]() -> task<> {
    auto g = spawn<gate>(log);
    auto d = spawn<desk>(g);
    auto asking = spawn([d]() -> task<boost::system::error_code> {
      co_return code_of(co_await d.ask(question{1}).as_result());
    });
    co_await until_idle();
    g.stop();
    BOOST_TEST(((co_await asking) == ask_errc::receiver_gone));
  });
}

// Goal:   ticks and downs are put aside like other mail, and are gone with what they came from.
BOOST_AUTO_TEST_CASE(ticks_and_downs_are_put_aside_too) {
  enum class end { opened, canceled, stopped, restarted };
  for (end how : {end::opened, end::canceled, end::stopped, end::restarted}) {
    std::vector<std::string> log, unused;
    rt.block_on([&]() -> task<> {
      auto root = spawn<supervisor>();
      auto p = spawn_child<patient>(root, std::ref(log));
      auto g = spawn_child<gate>(root, child_options{{.name = "gate"}}, std::ref(unused));
      co_await p.send(g);
      co_await until_idle();
      co_await g.send(crash{});
      co_await until_idle();
      auto other = spawn<gate>(actor_options{.name = "other"}, unused);
      co_await p.send(other);
      co_await until_idle();
      other.stop();
      co_await other.ended();
      co_await sleep_for(60s);  // Six ticks have been due; one is put aside.
      BOOST_TEST(log.empty());
      std::vector<std::string> wanted;
      if (how == end::opened) {
        wanted = {"gate restarts", "other ends", "once " + long_text('x'), "again", "every"};
      } else if (how == end::canceled) {
        wanted = {"gate restarts", "once " + long_text('x'), "again"};
        co_await p.send(cancel{});
        co_await p.send(demonitor{other.id()});
      } else if (how == end::restarted) {
        wanted = {"gate restarts"};  // It has its own memory, as all other mail has.
        co_await p.send(crash{});
      }
      if (how != end::stopped) co_await p.send(open_up{});
      co_await until_idle();
      BOOST_TEST(log == wanted, boost::test_tools::per_element());
      root.stop();
      co_await p.ended();
    });
  }
}

BOOST_AUTO_TEST_CASE(only_the_message_that_is_being_handled_can_be_put_aside) {
  class confused : public actor {
  public:
    explicit confused(std::string& text) : text_{&text} {}
    void on(open_up) {
      *text_ = test::misuse_of([] { self().stash(page{"another"}); });
    }

  private:
    std::string* text_;
  };
  std::string text;
  rt.block_on([&]() -> task<> {
    auto c = spawn<confused>(text);
    co_await c.send(open_up{});
    co_await until_idle();
  });
  BOOST_TEST(text.find("something else") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
