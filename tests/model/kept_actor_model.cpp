// Turns within turns, and actors that a worker keeps: framework/troupe/actor/detail/inner_turn.cpp
// with the mailbox word and the worker's context; docs/protocols/actor.md, "A kept actor".
//
// Each thread is a worker. What an actor does in a turn of its own is written down here in short; a
// worker runs the turns that it has queued itself, when it has done what it is at. So nothing but
// the protocol puts the turns of an actor in order.
//
// Not seen: the end of the runtime (foreign_visit); the rule by which an actor is kept (K4): here
// it is from the first turn within another on, and again after each turn of its own.

#include <model/model.hpp>

#include <array>
#include <cstdlib>
#include <exception>
#include <source_location>
#include <string>

#include <troupe/actor/detail/actor_block.hpp>
#include <troupe/actor/detail/inner_turn.cpp>
#include <troupe/actor/detail/request.hpp>
#include <troupe/task/debug_facts.hpp>

namespace troupe::model {

using detail::actor_block;
using detail::context;
using detail::message_link;
using detail::message_queue;

class kept;

/// One message.
class letter final : public detail::request_base {
public:
  letter() : request_base{kind, sizeof(letter), &never} {}

  void write() { content_.write(1); }
  void read() {
    check(content_.read() == 1, "it says what its sender wrote");
    content_.write(2);
    check(++handled == 1, "each is handled once");
  }

  bool fails = false;       ///< Its handler throws.
  letter* sends = nullptr;  ///< What its handler sends to its own actor.
  int handled = 0;

private:
  static const detail::envelope_table kind;
  static void never(request_base&) noexcept { std::abort(); }

  plain<int> content_;
};

/// An actor as it ships, with what only its turns touch.
class kept {
public:
  explicit kept(scheduler& at);
  ~kept();
  kept(const kept&) = delete;
  kept& operator=(const kept&) = delete;

  /// Of a task on the worker that this thread is.
  void ask(letter& message) {
    message.write();
    if (!block_->try_run(message)) send(message);
  }
  void send(letter& message) {
    message.write();
    check(block_->push_uncounted(message), "it is not closed");
  }
  void poke();

  void turn();
  void handle(letter& message);
  void handle_in_turn(letter& message);
  void note_queued() {
    check(!is_queued_, "it is queued once");
    is_queued_ = true;
    touch();
  }

  [[nodiscard]] bool sleeps(const std::array<context, 3>& workers) const;
  [[nodiscard]] int looks() const { return looks_; }

  /// A schedule that was broken off has left some.
  static void forget_all() { all = {}; }
  static kept& of(const actor_block& block) {
    for (kept* each : all) {
      if (each != nullptr && each->block_ == &block) return *each;
    }
    std::abort();
  }

private:
  // What the block has that is not atomic, or the state.
  void touch() { state_.write(state_.read() + 1); }

  actor_block* block_;
  plain<int> state_{0};
  bool is_queued_ = false;
  bool is_in_turn_ = false;
  int looks_ = 0;

  static inline std::array<kept*, 2> all{};
};

}  // namespace troupe::model

namespace troupe::inline v0_1::detail {

template <>
struct debug_access<model::kept> {
  static actor_block* make(executor& exec) {
    auto* made = new actor_block;
    made->exec_.store(&exec, std::memory_order_relaxed);
    made->is_unbounded_ = true;
    may_be_kept(*made);
    made->mail_.reset_asleep();
    return made;
  }
  static message_queue& mail(actor_block& of) { return of.mail_; }
  static bool try_idle(actor_block& of) { return of.try_idle(); }
  static void may_be_kept(actor_block& of) { of.visits_ = actor_block::visits_to_keep; }
  static void poke(actor_block& of) {
    void* keeper = nullptr;
    if (of.mail_.poke(keeper)) of.schedule_woken(keeper);
  }
};

// In place of actor_block.cpp, for an unbounded actor with nothing but plain handlers.

void actor_block::run_turn(job& self) noexcept {
  auto& actor = static_cast<actor_block&>(self);
  context& here = *current_context();
  here.actor = &actor;
  model::kept::of(actor).turn();
  here.actor = nullptr;
}

void actor_block::schedule_turn() noexcept {
  model::kept::of(*this).note_queued();
  exec().schedule(*this);
}

bool actor_block::try_idle() noexcept {
  bool senders_wait = false;
  return mail_.try_idle(0, senders_wait);
}

// The handler has failed: the actor is awake, and looks on.
bool actor_block::settle(std::exception_ptr) noexcept {
  schedule_turn();
  return false;
}

void text_deleter::operator()(std::string*) const noexcept {}  // There is none.
void actor_block::on_child_start(task_core&) noexcept { std::abort(); }
void actor_block::on_child_end(task_core&) noexcept { std::abort(); }
void actor_block::route(task_core&) noexcept { std::abort(); }
side_tasks& actor_block::begin_side_task() { std::abort(); }
void task_owner::route(task_core&) noexcept { std::abort(); }

}  // namespace troupe::inline v0_1::detail

namespace troupe::model {

using internals = detail::debug_access<kept>;

const detail::envelope_table letter::kind{
    .run = nullptr,
    .run_here = [](actor_block& of,
                   detail::envelope& self) { kept::of(of).handle(static_cast<letter&>(self)); },
    .finish = nullptr,
    .drop = nullptr,
    .message_name = "letter"};

kept::kept(scheduler& at) : block_{internals::make(at)} {
  (all[0] == nullptr ? all[0] : all[1]) = this;
}

kept::~kept() {
  (all[0] == this ? all[0] : all[1]) = nullptr;
  delete block_;
}

void kept::poke() { internals::poke(*block_); }

void kept::handle(letter& message) {
  check(!is_in_turn_, "it has one turn at a time");
  is_in_turn_ = true;
  touch();
  message.read();
  if (message.sends != nullptr) send(*message.sends);
  touch();
  is_in_turn_ = false;
  if (message.fails) throw 1;
}

void kept::turn() {
  check(is_queued_, "a turn was queued");
  is_queued_ = false;
  internals::may_be_kept(*block_);
  message_queue& mail = internals::mail(*block_);
  bool senders_wait = false;
  for (;;) {
    touch();
    if (mail.take_poke()) ++looks_;
    // As long as it is alone, it stays in the word.
    auto* only = static_cast<letter*>(mail.lone());
    if (only != nullptr) handle_in_turn(*only);
    if (only != nullptr && mail.try_idle_after(*only, 0, senders_wait)) return;
    message_link* taken = mail.take_all(0, senders_wait);
    if (taken == nullptr && internals::try_idle(*block_)) return;
    if (only != nullptr) taken = taken->next;
    while (taken != nullptr) {
      auto& next = static_cast<letter&>(*taken);
      taken = taken->next;
      handle_in_turn(next);
    }
  }
}

void kept::handle_in_turn(letter& message) {
  message.fails = false;
  handle(message);
}

bool kept::sleeps(const std::array<context, 3>& workers) const {
  const message_queue& mail = internals::mail(*block_);
  if (mail.sleeps_with(nullptr)) return true;
  for (const context& each : workers) {
    if (mail.sleeps_with(&each)) return true;
  }
  return false;
}

/// Workers, of which the first keeps the actors from the beginning.
template <class Derived, int Threads, std::size_t Actors = 1>
struct workers : scenario<Derived, Threads> {
  scheduler at;
  std::array<context, 3> contexts;
  std::array<letter, Actors> first;
  std::array<letter, 3> letters;
  std::array<kept*, Actors> actors;

  workers() {
    kept::forget_all();
    for (context& each : contexts) each.exec = &at;
    for (kept*& each : actors) each = new kept{at};
  }
  ~workers() {
    for (kept* each : actors) delete each;
  }

  void before() {
    detail::current_context_pointer = &contexts[0];
    for (std::size_t i = 0; i < Actors; ++i) actors[i]->ask(first[i]);
    thread_values.add(detail::current_context_pointer);
  }
  void thread(unsigned index) {
    detail::current_context_pointer = &contexts[index];
    static_cast<Derived*>(this)->work(index);
    at.run_ready();
  }
  void after() {
    for (kept* each : actors) check(each->sleeps(contexts), "it sleeps in the end");
    for (const context& each : contexts) {
      check(each.visits.load() == nullptr && each.left_over.load() == nullptr, "nothing is left");
    }
    check(at.visitors == 0, "nobody is about to schedule");
    detail::current_context_pointer = nullptr;
  }
};

/// The keeper asks, another one sends, and a third pokes.
struct kept_and_sent : workers<kept_and_sent, 3> {
  static constexpr const char* name = "kept_and_sent";

  void work(unsigned index) {
    if (index == 0) {
      actors[0]->ask(letters[0]);
      at.run_ready();
      actors[0]->ask(letters[1]);
    } else if (index == 1) {
      actors[0]->send(letters[2]);
    } else {
      actors[0]->poke();
    }
  }
  void after() {
    for (const letter& each : letters) check(each.handled == 1, "all are handled");
    check(actors[0]->looks() == 1, "the poke was seen");
    workers::after();
  }
};

/// The keeper asks, and so do two others, of whom one may keep it next.
struct kept_and_asked : workers<kept_and_asked, 3> {
  static constexpr const char* name = "kept_and_asked";

  void work(unsigned index) { actors[0]->ask(letters[index]); }
  void after() {
    for (const letter& each : letters) check(each.handled == 1, "all are handled");
    workers::after();
  }
};

/// A handler within the keeper's turn fails, while another one sends, and a third pokes.
struct kept_and_failed : workers<kept_and_failed, 3> {
  static constexpr const char* name = "kept_and_failed";

  void work(unsigned index) {
    if (index == 0) {
      letters[0].fails = true;
      actors[0]->ask(letters[0]);
    } else if (index == 1) {
      actors[0]->send(letters[1]);
    } else {
      actors[0]->poke();
    }
  }
  void after() {
    check(letters[0].handled == 1 && letters[1].handled == 1, "all are handled");
    check(actors[0]->looks() == 1, "the poke was seen");
    workers::after();
  }
};

/// A handler within the keeper's turn sends to its own actor, while another one sends.
struct sends_to_itself : workers<sends_to_itself, 2> {
  static constexpr const char* name = "sends_to_itself";

  void work(unsigned index) {
    if (index == 0) {
      letters[0].sends = &letters[1];
      actors[0]->ask(letters[0]);
    } else {
      actors[0]->send(letters[2]);
    }
  }
  void after() {
    for (const letter& each : letters) check(each.handled == 1, "all are handled");
    workers::after();
  }
};

/// The keeper goes from one actor to another one, and both are taken from it.
struct two_are_kept : workers<two_are_kept, 3, 2> {
  static constexpr const char* name = "two_are_kept";

  std::array<letter, 2> sent;

  void work(unsigned index) {
    if (index == 0) {
      actors[0]->ask(letters[0]);
      actors[1]->ask(letters[1]);
      actors[0]->ask(letters[2]);
    } else {
      actors[index - 1]->send(sent[index - 1]);
    }
  }
  void after() {
    for (const letter& each : letters) check(each.handled == 1, "all are handled");
    for (const letter& each : sent) check(each.handled == 1, "all are handled");
    workers::after();
  }
};

/// The keeper goes from one actor, which is taken from it, to another one, whose handler fails
/// while it is taken, too: what is handed over then may be the first one's.
struct one_fails : workers<one_fails, 3, 2> {
  static constexpr const char* name = "one_fails";

  std::array<letter, 2> sent;

  void work(unsigned index) {
    if (index == 0) {
      actors[1]->ask(letters[1]);
      letters[0].fails = true;
      actors[0]->ask(letters[0]);
    } else {
      actors[index - 1]->send(sent[index - 1]);
    }
  }
  void after() {
    check(letters[0].handled == 1 && letters[1].handled == 1, "all are handled");
    for (const letter& each : sent) check(each.handled == 1, "all are handled");
    workers::after();
  }
};

}  // namespace troupe::model

int main(int argc, char** argv) {
  using namespace troupe::model;
  return run<kept_and_sent, kept_and_asked, kept_and_failed, sends_to_itself, two_are_kept,
             one_fails>("kept_actor", argc, argv);
}
