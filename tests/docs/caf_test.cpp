// The snippets of docs/caf.md, in its order. Each block of the page stands here line by line, but
// for the indentation; the last case holds that.

#include <chrono>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <boost/test/unit_test.hpp>
#include <caf/all.hpp>

#include <troupe/actor/supervisor.hpp>
#include <troupe/caf/system.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/spawn_blocking.hpp>
#include <troupe/sync/oneshot.hpp>

#include <collected_failures.hpp>
#include "page_snippets.hpp"

using namespace std::chrono_literals;

namespace {

caf::behavior greeter(caf::event_based_actor* self) {
  return {[=](const std::string& name) {
    fmt::print("hello {}\n", name);
    self->quit();
  }};
}

troupe::task<> greet() {
  troupe::caf_system system{std::make_unique<caf::actor_system_config>()};
  caf::anon_send(system->spawn(greeter), std::string{"world"});
  co_await system.shut_down();  // Waits until CAF's actors have ended.
}

// --- the two directions ---

struct deposit {
  int amount;
};
struct balance {
  using reply = int;
};
using account = troupe::protocol<deposit, balance>;

caf::behavior caf_account(caf::stateful_actor<int>* self) {
  self->state = 0;
  return {
      [=](deposit made) { self->state += made.amount; },
      [=](balance) { return self->state; },
  };
}

troupe::task<int> use_caf(troupe::ref<account> theirs) {
  co_await theirs.send(deposit{40});
  int sum = co_await theirs.ask(balance{}, troupe::within{5s});
  theirs.stop();  // An exit_msg: without it the CAF actor goes on.
  co_await theirs.ended();
  co_return sum;
}

troupe::task<int> ask_an_account_of_caf(troupe::caf_system& system) {
  auto theirs = troupe::from_caf<account>(system, system->spawn(caf_account));
  int sum = co_await use_caf(theirs);
  co_return sum;
}

class troupe_account : public troupe::actor {
public:
  void on(deposit made) { sum_ += made.amount; }
  int on(balance) const { return sum_; }

private:
  int sum_ = 0;
};

void customer(caf::event_based_actor* self, const caf::actor& ours) {
  self->send(ours, deposit{2});
  self->request(ours, 5s, balance{}).then([](int sum) { fmt::print("balance = {}\n", sum); });
}

void give_an_account_to_caf(troupe::caf_system& system) {
  auto ours = troupe::spawn<troupe_account>();
  system->spawn(customer, troupe::to_caf<account>(system, ours));
}

// --- a system that moves ---

struct shelf {
  std::map<std::string, int> counts;
};

caf::behavior caf_stock(caf::stateful_actor<shelf>* self) {
  return {
      [=](caf::put_atom, const std::string& name, int count) { self->state.counts[name] += count; },
      [=](caf::get_atom, const std::string& name) { return self->state.counts[name]; },
  };
}

caf::behavior caf_desk(caf::event_based_actor* self, const caf::actor& stock) {
  return {[=](caf::get_atom get, const std::string& name) {
    auto promise = self->make_response_promise<std::string>();
    self->request(stock, caf::infinite, get, name)
        .then([=](int count) mutable { promise.deliver(fmt::format("{} x {}", count, name)); },
              [=](caf::error& error) mutable { promise.deliver(std::move(error)); });
    return promise;
  }};
}

std::string ask_desk(caf::actor_system& system, const caf::actor& desk) {
  std::string text;
  caf::scoped_actor self{system};
  self->request(desk, caf::infinite, caf::get_atom_v, std::string{"nails"})
      .receive([&](std::string& found) { text = std::move(found); },
               [](const caf::error& error) { throw std::runtime_error{to_string(error)}; });
  return text;
}

troupe::task<std::string> one_set_of_threads(caf::actor_system_config& config) {
  troupe::caf_system system{config};
  auto desk = system->spawn(caf_desk, system->spawn(caf_stock));
  auto text = troupe::spawn_blocking([&] { return ask_desk(*system, desk); });
  std::string found = co_await text;
  desk = nullptr;  // CAF's actors end when their last handle is gone.
  co_await system.shut_down();
  co_return found;
}

struct put {
  std::string name;
  int count;
};
struct get {
  using reply = int;
  std::string name;
};
struct describe {
  using reply = std::string;
  std::string name;
};

caf::behavior caf_stock_of_both(caf::stateful_actor<shelf>* self) {
  auto add = [=](const std::string& name, int count) { self->state.counts[name] += count; };
  auto count = [=](const std::string& name) { return self->state.counts[name]; };
  return {
      [=](caf::put_atom, const std::string& name, int more) { add(name, more); },
      [=](caf::get_atom, const std::string& name) { return count(name); },
      [=](const put& m) { add(m.name, m.count); },
      [=](const get& m) { return count(m.name); },
  };
}

caf::behavior caf_desk_with_structs(caf::event_based_actor* self, const caf::actor& stock) {
  return {[=](const describe& m) {
    auto promise = self->make_response_promise<std::string>();
    self->request(stock, caf::infinite, get{m.name})
        .then([=](int count) mutable { promise.deliver(fmt::format("{} x {}", count, m.name)); },
              [=](caf::error& error) mutable { promise.deliver(std::move(error)); });
    return promise;
  }};
}

using stock = troupe::protocol<put, get>;
using desk = troupe::protocol<describe>;

troupe::task<std::string> look_up(troupe::ref<desk> at) {
  co_return co_await at.ask<describe>(troupe::within{1s}, "nails");
}

class stock_keeper : public troupe::actor {
public:
  void on(const put& m) {
    if (m.count < 0) throw std::invalid_argument{"a negative count"};
    counts_[m.name] += m.count;
  }
  int on(const get& m) { return counts_[m.name]; }

private:
  std::map<std::string, int> counts_;
};

class desk_clerk : public troupe::actor {
public:
  explicit desk_clerk(troupe::ref<stock> from) : from_{std::move(from)} {}

  troupe::task<std::string> on(describe m) {
    int count = co_await from_.ask<get>(troupe::within{1s}, m.name);
    co_return fmt::format("{} x {}", count, m.name);
  }

private:
  troupe::ref<stock> from_;
};

troupe::task<std::string> leaf_moved(troupe::caf_system& system) {
  auto keeper = troupe::spawn<stock_keeper>();
  caf::actor known = troupe::to_caf<stock>(system, keeper);
  auto at = troupe::from_caf<desk>(system, system->spawn(caf_desk_with_structs, known));
  co_return co_await look_up(at);
}

troupe::task<std::string> user_moved(troupe::caf_system& system) {
  auto keeper = troupe::from_caf<stock>(system, system->spawn(caf_stock_of_both));
  auto clerk = troupe::spawn<desk_clerk>(keeper);
  co_return co_await look_up(clerk);
}

troupe::task<std::string> all_moved() {
  auto keeper = troupe::spawn<stock_keeper>();
  auto clerk = troupe::spawn<desk_clerk>(keeper);
  co_return co_await look_up(clerk);
}

class answering_clerk : public troupe::actor {
public:
  explicit answering_clerk(troupe::ref<stock> from) : from_{std::move(from)} {}

  troupe::task<> on(describe m, troupe::reply<std::string> back) {
    auto count = co_await from_.ask<get>(troupe::within{1s}, m.name).as_result();
    if (!count) co_return back.fail(troupe::ask_errc::rejected, "the stock does not answer");
    back.answer(fmt::format("{} x {}", *count, m.name));
  }

private:
  troupe::ref<stock> from_;
};

void watch(caf::event_based_actor* self, const caf::actor& whom) {
  self->monitor(whom);
  self->set_down_handler([=](const caf::down_msg& down) {
    fmt::print("the stock has ended: {}\n", to_string(down.reason));
    self->quit();
  });
}

class watcher : public troupe::actor {
public:
  void on(const troupe::ref<stock>& in) { self(this).monitor(in); }
  void on(const troupe::down& d) { fmt::print("{}: {}\n", d.name, to_string(d.why)); }
};

troupe::task<> supervise(troupe::caf_system& system) {
  auto root = troupe::spawn<troupe::supervisor>();
  auto keeper = troupe::spawn_child<stock_keeper>(root);
  caf::actor known = troupe::to_caf<stock>(system, keeper);
  caf::anon_send(known, put{"nails", -1});  // The keeper fails, and is started anew.
  caf::anon_send(known, put{"nails", 7});
  auto text = troupe::from_caf<desk>(system, system->spawn(caf_desk_with_structs, known));
  std::string found = co_await look_up(text);  // "7 x nails": the handle has stayed valid.
  BOOST_TEST(found == "7 x nails");
}

// --- what is said of messages, errors and ends ---

struct fixture {
  caf::actor_system_config config;
  troupe::runtime rt{with_two_workers()};

  static troupe::runtime_config with_two_workers() {
    troupe::runtime_config config;
    config.workers = 2;
    return config;
  }

  /// Runs `f` with a system, whose actors have to end then.
  template <class F>
  void in_system(F f) {
    rt.block_on([&]() -> troupe::task<> {
      troupe::caf_system system{config};
      co_await f(system);
      co_await system.shut_down();
    });
  }
};

template <class T>
auto answers() {
  auto [tx, rx] = troupe::oneshot<T>();
  return std::pair{std::make_shared<troupe::oneshot_sender<T>>(std::move(tx)), std::move(rx)};
}

struct save {};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(caf_, fixture, *boost::unit_test::label("caf"))

BOOST_AUTO_TEST_CASE(a_system_in_ten_lines) { rt.block_on(greet); }

BOOST_AUTO_TEST_CASE(troupe_uses_an_actor_of_caf) {
  in_system([](troupe::caf_system& system) -> troupe::task<> {
    BOOST_TEST((co_await ask_an_account_of_caf(system)) == 40);
    auto detached = system->spawn<caf::detached>(caf_account);
    auto theirs = troupe::from_caf<account>(system, detached);
    BOOST_TEST((co_await use_caf(theirs)) == 40);
  });
}

BOOST_AUTO_TEST_CASE(caf_uses_an_actor_of_troupe) {
  in_system([](troupe::caf_system& system) -> troupe::task<> {
    give_an_account_to_caf(system);
    co_return;
  });
}

BOOST_AUTO_TEST_CASE(atoms_numbers_and_void_are_items_of_a_protocol) {
  using items = troupe::protocol<caf::pong_atom(caf::ping_atom), std::string(int), void(save)>;
  in_system([](troupe::caf_system& system) -> troupe::task<> {
    int saved = 0;
    auto theirs = troupe::from_caf<items>(
        system, system->spawn([&](caf::event_based_actor*) -> caf::behavior {
          return {[](caf::ping_atom) { return caf::pong_atom_v; },
                  [](int x) { return std::to_string(x); }, [&](save) { ++saved; }};
        }));
    caf::pong_atom pong = co_await theirs.ask(caf::ping_atom_v);
    BOOST_TEST((pong == caf::pong_atom_v));
    BOOST_TEST((co_await theirs.ask(7)) == "7");
    co_await theirs.ask(save{});
    BOOST_TEST(saved == 1);
  });
}

BOOST_AUTO_TEST_CASE(actors_of_troupe_answer_atoms_numbers_and_void) {
  struct all : troupe::actor {
    caf::pong_atom on(caf::ping_atom) { return caf::pong_atom_v; }
    std::string on(int x) { return std::to_string(x); }
    void on(save) {}
  };
  using items = troupe::protocol<caf::pong_atom(caf::ping_atom), std::string(int), void(save)>;
  in_system([](troupe::caf_system& system) -> troupe::task<> {
    auto ours = troupe::spawn<all>();
    auto [over, ended] = answers<std::string>();
    system->spawn(
        [to = troupe::to_caf<items>(system, ours), back = over](caf::event_based_actor* self) {
          self->request(to, caf::infinite, caf::ping_atom_v).then([=](caf::pong_atom) {
            self->request(to, caf::infinite, save{}).then([=] {
              self->request(to, caf::infinite, 8).then([=](std::string& text) {
                (void)back->send(std::move(text));
              });
            });
          });
        });
    BOOST_TEST((co_await ended) == "8");
  });
}

BOOST_AUTO_TEST_CASE(a_typed_actor_is_cast_before) {
  using typed = caf::typed_actor<caf::replies_to<int>::with<int>>;
  in_system([](troupe::caf_system& system) -> troupe::task<> {
    typed doubles = system->spawn(
        [](typed::pointer) -> typed::behavior_type { return {[](int x) { return 2 * x; }}; });
    auto to =
        troupe::from_caf<troupe::protocol<int(int)>>(system, caf::actor_cast<caf::actor>(doubles));
    BOOST_TEST((co_await to.ask(4)) == 8);
  });
}

BOOST_AUTO_TEST_CASE(a_system_moves_actor_by_actor) {
  BOOST_TEST(rt.block_on([&] { return one_set_of_threads(config); }) == "0 x nails");
  in_system([](troupe::caf_system& system) -> troupe::task<> {
    BOOST_TEST((co_await leaf_moved(system)) == "0 x nails");
    BOOST_TEST((co_await user_moved(system)) == "0 x nails");
    BOOST_TEST((co_await all_moved()) == "0 x nails");
    auto answering = troupe::spawn<answering_clerk>(troupe::spawn<stock_keeper>());
    BOOST_TEST((co_await look_up(answering)) == "0 x nails");
  });
}

BOOST_AUTO_TEST_CASE(a_handler_that_does_not_throw_goes_on_after_a_failed_request) {
  rt.block_on([]() -> troupe::task<> {
    auto keeper = troupe::spawn<stock_keeper>();
    auto answering = troupe::spawn<answering_clerk>(keeper);
    keeper.kill();
    co_await keeper.ended();
    for (int i = 0; i < 2; ++i) {
      auto failed = co_await answering.ask<describe>("nails").as_result();
      BOOST_TEST((!failed && failed.error() == troupe::ask_errc::rejected));
    }
  });
}

BOOST_AUTO_TEST_CASE(both_sides_hear_of_ends) {
  in_system([](troupe::caf_system& system) -> troupe::task<> {
    auto keeper = troupe::spawn<stock_keeper>();
    auto seen = system->spawn(watch, troupe::to_caf<stock>(system, keeper));
    auto theirs = troupe::from_caf<stock>(system, system->spawn(caf_stock_of_both));
    auto watches = troupe::spawn<watcher>();
    co_await watches.send(theirs);
    theirs.stop();
    keeper.stop();
    co_await theirs.ended();
  });
}

BOOST_AUTO_TEST_CASE(a_handle_outlives_restarts) {
  troupe::test::collected_failures failures;
  in_system([](troupe::caf_system& system) -> troupe::task<> { co_await supervise(system); });
}

// Goal: what CAF's actor says of another one reads as if it were said of itself.
BOOST_AUTO_TEST_CASE(an_error_that_is_passed_on_keeps_its_meaning) {
  in_system([](troupe::caf_system& system) -> troupe::task<> {
    auto gone = system->spawn(caf_stock_of_both);
    caf::anon_send_exit(gone, caf::exit_reason::kill);
    auto at = troupe::from_caf<desk>(system, system->spawn(caf_desk_with_structs, gone));
    gone = nullptr;
    auto failed = co_await at.ask<describe>("nails").as_result();
    BOOST_TEST((!failed && failed.error() == troupe::ask_errc::receiver_gone));
    BOOST_TEST(!at.has_ended());
  });
}

BOOST_AUTO_TEST_CASE(groups_and_registry_reach_from_tasks) {
  in_system([](troupe::caf_system& system) -> troupe::task<> {
    auto [over, ended] = answers<int>();
    caf::group all = system->groups().anonymous();
    auto member = system->spawn([&all, back = over](caf::event_based_actor* self) -> caf::behavior {
      self->join(all);
      return {[=](const put& m) {
                (void)back->send(int{m.count});
                self->leave(all);
                self->quit();
              },
              [](balance) { return 1; }};
    });
    auto known = troupe::from_caf<account>(system, member);
    BOOST_TEST((co_await known.ask(balance{})) == 1);  // It has joined.
    caf::anon_send(all, put{"nails", 3});
    BOOST_TEST((co_await ended) == 3);
  });
}

BOOST_AUTO_TEST_CASE(every_snippet_of_the_page_is_compiled_here) {
  BOOST_TEST(troupe::test::check_snippets({"docs/caf.md", "tests/docs/caf_test.cpp"}) >= 15);
}

BOOST_AUTO_TEST_SUITE_END()
