// A CAF program adopts an actor of troupe, a troupe program one of CAF: neither side can tell.

#include <chrono>
#include <memory>

#include <fmt/core.h>
#include <caf/all.hpp>

#include <troupe/actor/actor.hpp>
#include <troupe/caf/system.hpp>
#include <troupe/runtime/run.hpp>

#include "../options.hpp"

using namespace std::chrono_literals;

namespace {

// What both sides say to an account. CAF's own part needs no further word on these structs.
struct deposit {
  int amount;
};
struct balance {};
using account = troupe::protocol<deposit, int(balance)>;

// An account in troupe, and the same one in CAF.
class troupe_account : public troupe::actor {
public:
  void on(deposit made) { sum_ += made.amount; }
  int on(balance) const { return sum_; }

private:
  int sum_ = 0;
};

caf::behavior caf_account(caf::stateful_actor<int>* self) {
  self->state = 0;
  return {
      [=](deposit made) { self->state += made.amount; },
      [=](balance) { return self->state; },
  };
}

// Plain CAF, with an account at a neighbour's.
caf::behavior caf_customer(caf::event_based_actor* self, const caf::actor& mine) {
  self->monitor(mine);
  self->set_down_handler([=](const caf::down_msg& down) {
    fmt::print("CAF saw the end of an actor of troupe: {}\n", to_string(down.reason));
    self->quit();
  });
  self->send(mine, deposit{40});
  return {
      [=](deposit made) { self->send(mine, made); },
      [=](caf::close_atom) {
        self->request(mine, 5s, balance{}).then([=](int sum) {
          fmt::print("CAF asked an actor of troupe: balance = {}\n", sum);
          self->send_exit(mine, caf::exit_reason::user_shutdown);
        });
      },
  };
}

// The same in troupe, where answers and ends are awaited.
troupe::task<> troupe_customer(troupe::ref<account> mine) {
  co_await mine.send(deposit{40});
  co_await mine.send(deposit{2});
  int sum = co_await mine.ask(balance{}, troupe::within(5s));
  fmt::print("troupe asked a CAF actor: balance = {}\n", sum);
  mine.stop();
  troupe::exit_reason end = co_await mine.ended();
  fmt::print("troupe saw the end of a CAF actor: {}\n", to_string(end));
}

troupe::task<> main_task() {
  troupe::caf_system system{std::make_unique<caf::actor_system_config>()};
  {
    // CAF code gets an actor of troupe as a caf::actor, and goes on as it is.
    troupe::ref<account> ours = troupe::spawn<troupe_account>();
    auto customer = system->spawn(caf_customer, troupe::to_caf(system, ours));
    caf::anon_send(customer, deposit{2});
    caf::anon_send(customer, caf::close_atom_v);

    // Code of troupe gets a CAF actor as a ref.
    auto theirs = troupe::from_caf<account>(system, system->spawn(caf_account));
    co_await troupe_customer(theirs);
  }
  co_await system.shut_down();
}

}  // namespace

int main(int argc, char** argv) {
  samples::options{argc, argv}.end();
  return troupe::run(main_task);
}
