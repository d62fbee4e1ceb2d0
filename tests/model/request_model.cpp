// A request: framework/troupe/actor/detail/request.hpp and request.cpp, docs/protocols/request.md.
// One is asked, and its handler answers, or gives the right to answer it away; the caller waits, or
// gives up. Each is a thread; what a queue of the scheduler does between them is an event.
//
// Not seen: deadlines; what a request that was put aside goes through; a request that was passed
// on.

#include <model/model.hpp>
#include <model/modelled_task.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <source_location>
#include <string>

#include <troupe/actor/detail/request.cpp>
#include <troupe/actor/detail/request.hpp>

namespace troupe::inline v0_1 {

std::string describe(const std::exception_ptr&) { return {}; }

namespace detail {

bool has_passed(deadline) noexcept { return false; }

void* allocate_block_elsewhere(std::size_t size_bytes) { return ::operator new(size_bytes); }
void free_block_elsewhere(void* block, std::size_t) noexcept { ::operator delete(block); }

}  // namespace detail
}  // namespace troupe::inline v0_1

namespace troupe::model {

namespace {

// One message, with the place of its answer.
class asked final : public detail::request_base {
public:
  static asked* make() { return new (detail::allocate_block(sizeof(asked))) asked; }

  // What the caller does with one that is settled. Returns: the answer.
  int take() {
    int found = has_value_ ? answer_.read() : 0;
    free();
    return found;
  }
  [[nodiscard]] int question() const { return question_.read(); }
  void set_value(int value) {
    answer_.write(value);
    has_value_ = true;
  }

  static inline int alive = 0;
  static const detail::envelope_table kind;

private:
  asked() : request_base{kind, sizeof(asked), &end} { ++alive; }
  ~asked() {
    question_.write(-1);
    answer_.write(-1);
    --alive;
  }
  static void end(request_base& self) noexcept { static_cast<asked&>(self).~asked(); }

  plain<int> question_{7};
  plain<int> answer_{0};
};

const detail::envelope_table asked::kind{
    .run = nullptr, .finish = nullptr, .drop = nullptr, .message_name = "asked"};

// Hands something on to another thread, in order, as a queue of the scheduler does.
class hand_over {
public:
  hand_over() { done_.init(true, false, here()); }
  ~hand_over() { done_.deinit(here()); }
  hand_over(const hand_over&) = delete;
  hand_over& operator=(const hand_over&) = delete;

  void give() { done_.set(here()); }
  void await() { done_.wait(false, false, here()); }

private:
  static rl::debug_info here() { return info_of(std::source_location::current()); }

  rl::generic_event done_;
};

// What happens to one request. Thread 0 is the caller, 1 the actor, 2 has the reply, or stops the
// caller.
struct request_life {
  // The caller, whose cell is made on its own thread.
  std::optional<modelled_task> caller;
  asked* sent = nullptr;
  hand_over to_actor;
  hand_over to_replier;
  hand_over to_stopper;
  bool has_run = false;
  bool was_unrun = false;
  bool was_withdrawn = false;
  int answer = 0;

  struct wait {
    request_life* of;
    bool poll() noexcept { return of->sent->settled(); }
    bool enlist(waker key) noexcept { return of->sent->enlist(key); }
    void delist() noexcept {}
  };

  void begin() { asked::alive = 0; }

  void ask() {
    caller.emplace();
    send();
  }
  void send() {
    sent = asked::make();
    sent->arm(caller->core().current_waker());
    to_stopper.give();
    to_actor.give();
  }
  void await_answer() {
    wait waiting{this};
    if (caller->await(waiting)) {
      answer = sent->take();
    } else {
      give_up();
    }
  }
  void give_up() {
    was_withdrawn = true;
    was_unrun = !sent->withdraw();
  }

  void handle() {
    to_actor.await();
    if (begins()) sent->set_value(1 + sent->question());
    sent->answer();
  }
  // The handler makes a reply<T>, which another thread gets.
  void handle_and_give_away() {
    to_actor.await();
    if (!begins()) {
      sent->answer();
      to_replier.give();
      return;
    }
    give_away();
  }
  void give_away() {
    is_given_away = true;
    sent->hold();
    to_replier.give();
    check(sent->question() == 7, "the message is the handler's until it lets go");
    sent->let_go();
  }
  void reply() {
    to_replier.await();
    if (!is_given_away) return;
    sent->set_value(8);
    sent->answer();
  }

  void end() {
    check(asked::alive == 0, "it is freed");
    check(!(was_unrun && has_run), "what was withdrawn unrun has not run");
    check(was_withdrawn || answer == 8, "who waits gets the answer");
  }

  bool is_given_away = false;

  bool begins() {
    if (!sent->may_begin()) return false;
    check(!was_unrun, "what was withdrawn unrun does not run");
    has_run = true;
    return true;
  }
};

// Asked and handled, while somebody does something to the caller, who waits.
template <class Derived>
struct disturbed : scenario<Derived, 3> {
  request_life life;

  void before() { life.begin(); }
  void thread(unsigned index) {
    if (index == 0) {
      life.ask();
      life.await_answer();
    } else if (index == 1) {
      life.handle();
    } else {
      life.to_stopper.await();
      static_cast<Derived*>(this)->disturb(life.caller->core());
    }
  }
  void after() { life.end(); }
};

// The caller may be nudged, so that it waits twice.
struct answered : disturbed<answered> {
  static constexpr const char* name = "answered";

  static void disturb(detail::task_core& caller) { caller.nudge(); }
  void after() {
    check(!life.was_withdrawn, "nobody gives it up");
    life.end();
  }
};

// The caller is stopped.
struct stopped : disturbed<stopped> {
  static constexpr const char* name = "stopped";

  static void disturb(detail::task_core& caller) { caller.request_stop(); }
};

// The caller gives up at once.
struct withdrawn : scenario<withdrawn, 2> {
  static constexpr const char* name = "withdrawn";

  request_life life;

  void before() { life.begin(); }
  void thread(unsigned index) {
    if (index == 1) return life.handle();
    life.ask();
    life.give_up();
  }
  void after() { life.end(); }
};

// The handler gives the right to answer away; the caller waits, or gives up.
struct given_away : scenario<given_away, 3> {
  static constexpr const char* name = "given_away";

  request_life life;
  bool gives_up = false;

  void before() {
    life.begin();
    gives_up = choose(2) == 0;
  }
  void thread(unsigned index) {
    if (index == 1) return life.handle_and_give_away();
    if (index == 2) return life.reply();
    life.ask();
    gives_up ? life.give_up() : life.await_answer();
  }
  void after() { life.end(); }
};

// The handler runs within the turn of the caller, and gives the right to answer away.
struct given_away_here : scenario<given_away_here, 2> {
  static constexpr const char* name = "given_away_here";

  request_life life;

  void before() { life.begin(); }
  void thread(unsigned index) {
    if (index == 1) return life.reply();
    life.caller.emplace();
    life.sent = asked::make();
    life.sent->begin_here();
    life.give_away();
    life.await_answer();
  }
  void after() { life.end(); }
};

// The caller says for whom it waits, as ask_operation does. Who looks at it after a reply<T> was
// made does not find it asleep and waiting for the actor.
struct edge : scenario<edge, 3> {
  static constexpr const char* name = "edge";

  request_life life;
  detail::context of_handler;
  alignas(16) std::array<std::byte, 16> actor_place{};
  detail::actor_block* actor = reinterpret_cast<detail::actor_block*>(actor_place.data());

  struct wait {
    edge* of;
    bool poll() noexcept { return of->life.sent->settled(); }
    bool enlist(waker key) noexcept {
      bool is_enlisted = of->life.sent->enlist(key);
      if (of->life.sent->is_given_away()) of->caller().wait_for(nullptr);
      return is_enlisted;
    }
    void delist() noexcept {}
  };

  void before() {
    life.begin();
    of_handler.actor = actor;
    thread_values.add(detail::current_context_pointer);
  }
  void thread(unsigned index) {
    if (index == 0) {
      life.caller.emplace();
      caller().wait_for(actor);
      life.send();
      wait waiting{this};
      check(life.caller->await(waiting), "nobody stops it");
      life.answer = life.sent->take();
    } else if (index == 1) {
      handle();
    } else {
      life.to_stopper.await();
      caller().nudge();
    }
  }
  void after() { life.end(); }

private:
  detail::task_core& caller() { return life.caller->core(); }

  void handle() {
    life.to_actor.await();
    check(life.begins(), "nobody withdraws it");
    detail::current_context_pointer = &of_handler;
    life.sent->hold();
    std::uint64_t wait_seen = caller().present_wait();
    bool is_for_actor = caller().awaited() == actor;
    bool is_the_same = caller().present_wait() == wait_seen;
    check(wait_seen == 0 || !is_for_actor || !is_the_same, "it does not wait for the actor");
    life.sent->set_value(8);
    life.sent->answer();
    life.sent->let_go();
  }
};

}  // namespace

}  // namespace troupe::model

int main(int argc, char** argv) {
  using namespace troupe::model;
  return run<answered, stopped, withdrawn, given_away, given_away_here, edge>("request", argc,
                                                                              argv);
}
