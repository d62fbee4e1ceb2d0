#pragma once

// The mailbox word as an actor uses it: sync/message_queue.hpp. Nobody is the receiver all the
// time: who clears `idle` has the next turn, on his own thread, and all turns share a state that
// nothing but the word guards.
//
// Not seen: the links between messages, which are plain (their content is not); the scheduler
// between a wake and the turn, which only adds order.

#include <model/fresh_parking_lot.hpp>
#include <model/model.hpp>
#include <model/modelled_task.hpp>

#include <array>
#include <cstdint>

#include <troupe/sync/message_queue.hpp>
#include <troupe/sync/parking_lot.hpp>
#include <troupe/sync/room_wait.hpp>

namespace troupe::model {

using detail::message_link;
using detail::message_queue;

struct letter : message_link {
  unsigned from = 0;
  unsigned number = 0;
  plain<int> content{0};
};

/// What has become of a letter.
enum class fate : unsigned char { unsent, refused, sent, received, dropped };

/// A mailbox with its state, and the turns that whoever wakes it gives it.
template <unsigned senders, unsigned letters>
class mailbox {
public:
  explicit mailbox(std::uint32_t capacity = 0) : capacity_{capacity} { queue.reset_asleep(); }

  /// Sends what `from` has next; whoever wakes the mailbox gives it a turn.
  message_queue::pushed send(unsigned from, unsigned number) {
    letter& made = letters_[from][number];
    made.from = from;
    made.number = number;
    made.content.write(static_cast<int>(number + 1));
    fates_[from][number] = fate::sent;  // It may be received before push() has returned.
    auto how = queue.push(made, capacity_);
    if (how == message_queue::pushed::full || how == message_queue::pushed::closed) {
      check(fates_[from][number] == fate::sent, "what was refused is the sender's");
      fates_[from][number] = fate::refused;
      made.content.write(0);  // It is the sender's again.
    } else {
      has_come_[from][number] = true;
      check(capacity_ == 0 || lying() <= capacity_, "what lies there has found room");
    }
    if (how == message_queue::pushed::sent_to_idle) turn();
    return how;
  }

  [[nodiscard]] bool park_sender(detail::parked_waiter& waiter, waker key) noexcept {
    return detail::parking_lot::instance().park(waiter, this, key,
                                                [this] { return queue.want_room(capacity_); });
  }
  void wake_senders(std::size_t count) noexcept {
    detail::parking_lot::instance().wake(this, count, [this] { queue.room_is_wanted_no_more(); });
  }

  /// Pokes it, with something to tell.
  void poke() {
    news_.write(1);
    void* mark = nullptr;
    if (queue.poke(mark)) turn();
    check(mark == nullptr, "nobody has left a mark");
  }

  void visit() {
    std::uint64_t awake = 0;
    void* mark = nullptr;
    if (!queue.wake(awake, mark)) return;
    check(mark == nullptr, "nobody has left a mark");
    touch();
    bool sleeps = queue.sleep_again(awake, nullptr);
    if (!sleeps) turn();
  }

  /// Pokes it, for it to close and drop what it has.
  void stop() {
    shall_end_.write(1);
    poke();
  }

  /// Closes it, as the end of a channel does: who closes a sleeping one wakes it.
  void close() {
    if (!queue.close().receiver_sleeps) return;
    queue.leave_idle();
    turn();
  }

  void turn() {
    touch();
    for (;;) {
      if (queue.at_end(begun_)) return;
      if (queue.take_poke() && !look_up()) return;
      auto* only = static_cast<letter*>(queue.lone());
      if (only != nullptr) {
        if (handle_lone(*only)) return;
      } else if (message_link* taken = take_all()) {
        handle_all(taken);
      } else if (try_idle()) {
        return;
      }
    }
  }

  /// One step of a turn, by who has it.
  void handle_what_lies_there() {
    message_link* taken = take_all();
    check(taken != nullptr, "something lies there");
    handle_all(taken);
  }

  [[nodiscard]] fate fate_of(unsigned from, unsigned number) const { return fates_[from][number]; }
  [[nodiscard]] unsigned looks() const { return looks_; }
  [[nodiscard]] bool has_ended() const { return has_ended_; }

  message_queue queue;

private:
  void touch() { state_.write(state_.read() + 1); }

  // How many are there and not taken, at least.
  [[nodiscard]] std::uint32_t lying() const {
    std::uint32_t found = 0;
    for (unsigned from = 0; from < senders; ++from) {
      for (unsigned number = 0; number < letters; ++number) {
        found += has_come_[from][number] && fates_[from][number] == fate::sent ? 1 : 0;
      }
    }
    return found;
  }

  // Returns: false when it has ended.
  bool look_up() {
    (void)news_.read();
    ++looks_;
    if (has_ended_ || shall_end_.read() == 0) return true;
    has_ended_ = true;
    if (queue.close().senders_wait) wake_senders(SIZE_MAX);
    while (message_link* taken = take_all()) {
      while (taken != nullptr) {
        auto& next = static_cast<letter&>(*taken);
        taken = taken->next;
        settle(next, fate::dropped);
      }
    }
    return false;
  }

  message_link* take_all() {
    bool senders_wait = false;
    std::uint32_t rooms = begun_;
    message_link* taken = queue.take_all(rooms, senders_wait);
    if (taken != nullptr) begun_ = 0;
    if (senders_wait) wake_senders(rooms);
    return taken;
  }
  bool try_idle() {
    bool senders_wait = false;
    std::uint32_t rooms = begun_;
    begun_ = 0;  // Before the step: after it the mailbox may be another's.
    if (!queue.try_idle(rooms, senders_wait)) {
      begun_ = rooms;
      return false;
    }
    if (senders_wait) wake_senders(rooms);
    return true;
  }

  // Returns: true when the mailbox sleeps, and may be another's.
  bool handle_lone(letter& only) {
    receive(only);
    bool senders_wait = false;
    std::uint32_t rooms = capacity_ == 0 ? 0 : begun_ + 1;
    std::uint32_t before = begun_;
    begun_ = 0;
    if (queue.try_idle_after(only, rooms, senders_wait)) {
      if (senders_wait) wake_senders(rooms);
      finish(only);
      return true;
    }
    begun_ = before;
    message_link* taken = take_all();
    check(taken == &only, "the lone one is the oldest");  // It is the oldest of what is there.
    taken = taken->next;
    count_begun();
    finish(only);
    handle_all(taken);
    return false;
  }
  void handle_all(message_link* taken) {
    while (taken != nullptr) {
      auto& next = static_cast<letter&>(*taken);
      taken = taken->next;
      count_begun();
      receive(next);
      finish(next);
    }
  }
  void count_begun() {
    if (capacity_ != 0) ++begun_;
  }
  void receive(letter& next) {
    touch();
    check(next.content.read() == static_cast<int>(next.number + 1),
          "it says what its sender wrote");
    settle(next, fate::received);
  }
  void settle(letter& next, fate what) {
    check(fates_[next.from][next.number] == fate::sent, "each is taken once");
    check(next.number == next_of_[next.from],
          "in the order they were sent");  // In the order they were sent.
    next_of_[next.from] = next.number + 1;
    fates_[next.from][next.number] = what;
  }
  void finish(letter& done) { done.content.write(-1); }

  const std::uint32_t capacity_;
  std::uint32_t begun_ = 0;
  plain<int> state_{0};
  plain<int> news_{0};
  plain<int> shall_end_{0};
  std::array<std::array<letter, letters>, senders> letters_;
  // What is known of them is the model's, and orders nothing.
  std::array<std::array<fate, letters>, senders> fates_{};
  std::array<std::array<bool, letters>, senders> has_come_{};
  std::array<unsigned, senders> next_of_{};
  unsigned looks_ = 0;
  bool has_ended_ = false;
};

/// Two send, and a third pokes.
struct mail_and_poke : scenario<mail_and_poke, 3> {
  static constexpr const char* name = "mail_and_poke";

  mailbox<2, 2> box;

  void thread(unsigned index) {
    if (index == 2) return box.poke();
    (void)box.send(index, 0);
    (void)box.send(index, 1);
  }
  void after() {
    for (unsigned from : {0U, 1U}) {
      check(box.fate_of(from, 0) == fate::received && box.fate_of(from, 1) == fate::received,
            "all are received");
    }
    check(box.looks() == 1, "the poke was seen once");
    check(box.queue.sleeps_with(nullptr), "it sleeps");
  }
};

/// A bounded one: what finds no room is refused, and room given back is there again.
struct mail_in_bounds : scenario<mail_in_bounds, 3> {
  static constexpr const char* name = "mail_in_bounds";

  mailbox<3, 2> box{2};
  unsigned refused = 0;

  void thread(unsigned index) {
    for (unsigned number : {0U, 1U}) {
      bool is_refused = box.send(index, number) == message_queue::pushed::full;
      if (!is_refused) continue;
      ++refused;
      return;  // For the others to be in the order of their numbers.
    }
  }
  void after() {
    check(box.queue.count() == 0, "all room was given back");
    check(box.queue.sleeps_with(nullptr), "it sleeps");
    for (unsigned from : {0U, 1U, 2U}) {
      check(box.fate_of(from, 0) == fate::received || box.fate_of(from, 0) == fate::refused,
            "received or refused");
      check(box.fate_of(from, 1) != fate::sent, "none is left");
    }
    // The first to send, and who sends to an empty mailbox, find room.
    check(refused < 3, "who finds it empty is not refused");
  }
};

/// One message on its way to a mailbox that may be full.
template <class Mailbox>
class mail_send : public detail::room_wait<Mailbox> {
public:
  mail_send(Mailbox& to, unsigned from, unsigned number)
      : detail::room_wait<Mailbox>{to}, from_{from}, number_{number} {}

  bool poll() noexcept {
    this->use_wake();
    how_ = this->owner_->send(from_, number_);
    return how_ != message_queue::pushed::full;
  }
  bool enlist(waker key) noexcept { return this->enlist_for_room(key); }
  void delist() noexcept { this->delist_for_room(); }
  [[nodiscard]] bool is_closed() const { return how_ == message_queue::pushed::closed; }

private:
  unsigned from_, number_;
  message_queue::pushed how_ = message_queue::pushed::full;
};

/// What two send, who wait where there is no room, and a third may stop the mailbox or one of them.
enum class third { sends, stops_mailbox, stops_sender };

template <third Does>
struct mail_with_waits : scenario<mail_with_waits<Does>, 3> {
  static constexpr const char* name = Does == third::sends           ? "mail_with_waits"
                                      : Does == third::stops_mailbox ? "waits_and_end"
                                                                     : "waits_and_stop";
  using mailbox_type = mailbox<3, 2>;

  fresh_parking_lot lot;
  // With three places some can be given back while more is there.
  mailbox_type box{Does == third::sends ? 3U : 1U};
  std::array<modelled_task, 3> tasks;
  std::array<unsigned, 3> accepted{};

  void thread(unsigned index) {
    if (index == 2 && Does == third::stops_mailbox) return box.stop();
    if (index == 2 && Does == third::stops_sender) return tasks[0].core().request_stop();
    for (unsigned number : {0U, 1U}) {
      mail_send sending{box, index, number};
      if (!tasks[index].await(sending) || sending.is_closed()) return;
      ++accepted[index];
    }
  }
  void after() {
    check(box.has_ended() == (Does == third::stops_mailbox), "it ends when it is stopped");
    if (!box.has_ended()) check(box.queue.count() == 0, "all room was given back");
    for (unsigned from = 0; from < 3; ++from) {
      for (unsigned number = 0; number < accepted[from]; ++number) {
        fate what = box.fate_of(from, number);
        check(what == fate::received || (what == fate::dropped && box.has_ended()),
              "what was sent was received or dropped");
      }
    }
    if (Does == third::sends) check(accepted[0] + accepted[1] + accepted[2] == 6, "all are sent");
    if (Does == third::stops_sender) check(accepted[1] == 2, "who was not stopped has sent");
  }
};

using mail_and_waits = mail_with_waits<third::sends>;
using waits_and_end = mail_with_waits<third::stops_mailbox>;
using waits_and_stop = mail_with_waits<third::stops_sender>;

/// Room comes back when the next mail is taken, and no more for as long as that is handled: who
/// waits has it all the same.
struct room_beside_mail : scenario<room_beside_mail, 2> {
  static constexpr const char* name = "room_beside_mail";

  fresh_parking_lot lot;
  mailbox<1, 3> box{2};
  modelled_task sender;

  void before() {
    check(box.queue.leave_idle(), "its turn is that of the threads");
    check(box.send(0, 0) == message_queue::pushed::sent, "there is room");
    box.handle_what_lies_there();
    check(box.send(0, 1) == message_queue::pushed::sent, "there is room");
  }
  void thread(unsigned index) {
    if (index == 0) {
      mail_send sending{box, 0, 2};
      check(sender.await(sending) && !sending.is_closed(), "it is sent");
    } else {
      linger(40);  // Until the sender has gone to sleep.
      box.handle_what_lies_there();
    }
  }
  void after() {
    box.turn();
    check(box.fate_of(0, 2) == fate::received, "what was sent is received");
    check(box.queue.count() == 0 && box.queue.sleeps_with(nullptr), "it has no more");
  }
};

/// One visits the sleeping mailbox, one sends, one pokes.
struct visits_and_mail : scenario<visits_and_mail, 3> {
  static constexpr const char* name = "visits_and_mail";

  mailbox<1, 2> box;

  void thread(unsigned index) {
    if (index == 0) {
      box.visit();
      box.visit();
    } else if (index == 1) {
      (void)box.send(0, 0);
      (void)box.send(0, 1);
    } else {
      box.poke();
    }
  }
  void after() {
    check(box.fate_of(0, 0) == fate::received && box.fate_of(0, 1) == fate::received,
          "all are received");
    check(box.looks() == 1, "the poke was seen once");
    check(box.queue.sleeps_with(nullptr), "it sleeps");
  }
};

/// One sends, one visits, and one stops it.
struct mail_and_end : scenario<mail_and_end, 3> {
  static constexpr const char* name = "mail_and_end";

  mailbox<1, 2> box;
  unsigned accepted = 0;

  void thread(unsigned index) {
    if (index == 0) {
      for (unsigned number : {0U, 1U}) {
        if (box.send(0, number) == message_queue::pushed::closed) return;
        ++accepted;
      }
    } else if (index == 1) {
      box.visit();
    } else {
      box.stop();
    }
  }
  void after() {
    check(box.has_ended() && box.queue.is_closed() && box.queue.has_none(),
          "it has ended, and has nothing");
    for (unsigned number = 0; number < accepted; ++number) {
      fate what = box.fate_of(0, number);
      check(what == fate::received || what == fate::dropped,
            "what was sent was received or dropped");
    }
  }
};

/// Two visit, and a third closes.
struct visits_and_close : scenario<visits_and_close, 3> {
  static constexpr const char* name = "visits_and_close";

  mailbox<1, 1> box;

  void thread(unsigned index) { index == 2 ? box.close() : box.visit(); }
  void after() { check(box.queue.is_closed() && box.queue.has_none(), "it has ended"); }
};

/// A late poke meets a mailbox that is made anew, asleep.
struct late_poke : scenario<late_poke, 2> {
  static constexpr const char* name = "late_poke";

  message_queue queue;
  plain<int> state{0};
  bool had_turn = false;

  void before() { queue.reset_closed(); }
  void thread(unsigned index) {
    if (index == 0) {
      state.write(1);
      queue.reset_asleep();
      return;
    }
    void* mark = nullptr;
    if (!queue.poke(mark)) return;
    had_turn = true;
    check(queue.take_poke(), "who wakes it by a poke sees that");
    check(state.read() == 1, "a sleeping one is whole");
    bool senders_wait = false;
    check(queue.try_idle(0, senders_wait) && !senders_wait, "it sleeps again");
  }
  void after() { check(queue.sleeps_with(nullptr) || !had_turn, "it sleeps after its turn"); }
};

}  // namespace troupe::model
