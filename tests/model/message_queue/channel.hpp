#pragma once

// Channels: sync/mpsc.hpp with its core, its waiting senders, the parking lot and the mailbox word,
// all as they ship. Each thread is a task.
//
// Not seen: the lists of the parking lot, which are plain (its locks are Relacy's); two channels in
// one bucket; room that is given back in batches (mailbox.hpp).

#include <model/fresh_parking_lot.hpp>
#include <model/model.hpp>
#include <model/modelled_task.hpp>
#include <model/parcel.hpp>

#include <array>
#include <optional>
#include <utility>

#include <troupe/base/memory.cpp>
#include <troupe/sync/detail/channel_core.cpp>
#include <troupe/sync/mpsc.hpp>

namespace troupe::detail {

inline void keep_blocks(bool) noexcept {}  // In place of base/block_pool.cpp: none are kept.

}  // namespace troupe::detail

namespace troupe::model {

/// A channel, its receiver, and senders whose number is the thread's.
template <unsigned Senders>
struct channel {
  explicit channel(std::uint32_t capacity) {
    parcel::alive = 0;
    channel_ends<parcel> ends{capacity};
    rx.emplace(std::move(ends.rx));
    for (auto& each : tx) each.emplace(ends.tx);
  }

  /// Sends `content`. Returns: false when the channel is closed, or the task was asked to stop.
  bool send(unsigned from, int content) {
    auto sending = tx[from]->send(parcel{content});
    if (!senders[from].await(sending) || sending.take().has_error()) {
      check(sending.value().read() == content, "what was not sent is the sender's");
      return false;
    }
    sent[from] = content;
    return true;
  }
  /// Returns: a place of those that are free.
  sender<parcel>::permit take_room(unsigned from) {
    auto reserving = tx[from]->reserve();
    check(reserving.poll(), "there is room");
    return *reserving.take();
  }
  void leave(unsigned from) {
    done_by[from].write(1);
    tx[from].reset();
  }

  /// Receives one. Returns: false at the end.
  bool receive() {
    auto receiving = rx->recv();
    check(receiver.await(receiving), "nobody stops the receiver");
    std::optional<parcel> found = receiving.take();
    if (!found) return false;
    note(*found);
    return true;
  }
  void receive_all() {
    while (receive()) {
    }
    check_end();
  }
  /// Who has got the end has seen all that its senders did before they left.
  void check_end() const {
    for (auto& each : done_by) check(each.read() == 1, "the end comes after the senders");
  }
  void note(const parcel& found) {
    int content = found.read();
    auto from = static_cast<unsigned>(content / 10);
    check(content == received[from] + 1 || (received[from] == 0 && content % 10 == 1),
          "in the order they were sent, each once");
    received[from] = content;
  }

  void after() {
    rx.reset();
    for (auto& each : tx) each.reset();
    check(parcel::alive == 0, "all messages are destroyed");
  }

  fresh_parking_lot lot;
  modelled_task receiver;
  std::array<modelled_task, Senders> senders;
  std::optional<troupe::receiver<parcel>> rx;
  std::array<std::optional<sender<parcel>>, Senders> tx;
  std::array<plain<int>, Senders> done_by;
  // What was sent and received last, by sender: ten times its number, and how many.
  std::array<int, Senders> sent{};
  std::array<int, Senders> received{};
};

/// Two senders for one place: who finds none waits, and all is received, then the end.
struct one_place : scenario<one_place, 3> {
  static constexpr const char* name = "one_place";

  channel<2> of{1};

  void thread(unsigned index) {
    if (index == 2) return of.receive_all();
    int base = static_cast<int>(index) * 10;
    check(of.send(index, base + 1) && of.send(index, base + 2), "it is not closed");
    of.leave(index);
  }
  void after() {
    check(of.received == of.sent, "all that was sent is received");
    of.after();
  }
};

/// The same, and one of the senders is asked to stop: a wake that it does not use is passed on.
struct stopped_sender : scenario<stopped_sender, 4> {
  static constexpr const char* name = "stopped_sender";

  channel<2> of{1};

  void thread(unsigned index) {
    if (index == 2) return of.receive_all();
    if (index == 3) return of.senders[0].core().request_stop();
    int base = static_cast<int>(index) * 10;
    if (of.send(index, base + 1)) (void)of.send(index, base + 2);
    of.leave(index);
  }
  void after() {
    check(of.received == of.sent, "all that was sent is received");
    check(of.sent[1] == 12, "who was not stopped has sent");
    of.after();
  }
};

/// The receiver leaves while senders wait: they get the end, and keep what they have.
struct receiver_leaves : scenario<receiver_leaves, 3> {
  static constexpr const char* name = "receiver_leaves";

  channel<2> of{1};

  void thread(unsigned index) {
    if (index == 2) {
      (void)of.receive();
      of.rx.reset();
      return;
    }
    int base = static_cast<int>(index) * 10;
    if (of.send(index, base + 1)) (void)of.send(index, base + 2);
    of.leave(index);
  }
  void after() { of.after(); }
};

/// The receiver leaves, and what lies in the channel goes with it, although a sender stays.
struct sender_stays : scenario<sender_stays, 2> {
  static constexpr const char* name = "sender_stays";

  channel<1> of{2};

  void thread(unsigned index) {
    if (index == 1) return of.rx.reset();
    if (of.send(0, 1)) (void)of.send(0, 2);
  }
  void after() {
    check(parcel::alive == 0, "what nobody will receive is destroyed");
    of.after();
  }
};

/// The receiver is woken by something else again and again, as in a `select`.
struct nudged_receiver : scenario<nudged_receiver, 3> {
  static constexpr const char* name = "nudged_receiver";

  channel<1> of{1};

  void thread(unsigned index) {
    if (index == 2) return of.receiver.core().nudge();
    if (index == 1) return of.receive_all();
    check(of.send(0, 1) && of.send(0, 2), "it is not closed");
    of.leave(0);
  }
  void after() {
    check(of.received == of.sent, "all that was sent is received");
    of.after();
  }
};

/// Two have reserved room in a channel that is closed then: the receiver gets what they send, and
/// the end when both have used or returned it.
struct permits : scenario<permits, 3> {
  static constexpr const char* name = "permits";

  channel<2> of{2};
  std::array<std::optional<sender<parcel>::permit>, 2> held;
  bool sends = false;

  void before() {
    for (unsigned from : {0U, 1U}) {
      held[from].emplace(of.take_room(from));
    }
    auto one_more = of.tx[0]->reserve();
    check(!one_more.poll(), "there is no more room");
    sends = choose(2) == 0;
  }
  void thread(unsigned index) {
    if (index == 2) {
      of.rx->close();
      of.receive_all();
      of.rx.reset();
      return;
    }
    of.done_by[index].write(1);
    if (index == 0 && sends) {
      std::move(*held[0]).send(parcel{1});
      of.sent[0] = 1;
    }
    held[index].reset();  // The senders stay: only what comes back can be the end.
  }
  void after() {
    check(of.received == of.sent, "what was sent with a permit is received");
    of.after();
  }
};

/// Two wait for two places, which come back one by one: each wakes another one, since nothing else
/// ever will.
struct rooms_returned : scenario<rooms_returned, 3> {
  static constexpr const char* name = "rooms_returned";

  channel<2> of{2};
  std::array<std::optional<sender<parcel>::permit>, 2> held;

  void before() {
    for (auto& each : held) each.emplace(of.take_room(0));
  }
  void thread(unsigned index) {
    if (index == 2) {
      linger(40);  // Until both have gone to sleep.
      for (auto& each : held) each.reset();
      return;
    }
    check(of.send(index, static_cast<int>(index) * 10 + 1), "it is not closed");
    of.leave(index);
  }
  void after() {
    check(of.receive() && of.receive(), "both have sent");
    check(of.received == of.sent, "all that was sent is received");
    of.after();
  }
};

/// One reserves and gives the room back, for which another one waits.
struct room_returned : scenario<room_returned, 3> {
  static constexpr const char* name = "room_returned";

  channel<2> of{1};

  void thread(unsigned index) {
    if (index == 2) return of.receive_all();
    if (index == 0) {
      auto reserving = of.tx[0]->reserve();
      check(of.senders[0].await(reserving), "nobody stops it");
      auto held = reserving.take();
      check(held.has_value(), "it is not closed");
    } else {
      check(of.send(1, 11), "it is not closed");
    }
    of.leave(index);
  }
  void after() {
    check(of.received == of.sent && of.sent[1] == 11, "all that was sent is received");
    of.after();
  }
};

/// A wait for room that is taken back as soon as `given_up`, as by a select() that something else
/// has won.
template <class Op>
struct wait_in_race {
  Op op;
  const pal::atomic<bool>& given_up;
  bool has_won = false;

  bool poll() noexcept { return given_up.load(std::memory_order_relaxed) || (has_won = op.poll()); }
  bool enlist(waker key) noexcept { return op.enlist(key); }
  void delist() noexcept { op.delist(); }
};

/// Two wait for one place, and one of them gives up when it comes back: then the other one gets it,
/// since nothing else ever will wake it.
struct wake_handed_on : scenario<wake_handed_on, 3> {
  static constexpr const char* name = "wake_handed_on";

  channel<2> of{1};
  std::optional<sender<parcel>::permit> held;
  pal::atomic<bool> given_up{false};

  void before() { held.emplace(of.take_room(0)); }
  void thread(unsigned index) {
    if (index == 2) {
      linger(40);  // Until both have gone to sleep.
      held.reset();
      given_up.store(true, std::memory_order_relaxed);
      return of.senders[0].core().nudge();
    }
    if (index == 1) {
      check(of.send(1, 11), "it is not closed");
    } else {
      wait_in_race waiting{of.tx[0]->reserve(), given_up};
      check(of.senders[0].await(waiting), "nobody stops it");
      if (waiting.has_won) check(waiting.op.take().has_value(), "it is not closed");
    }
    of.leave(index);
  }
  void after() {
    check(of.receive(), "who waits for room has sent");
    check(of.received == of.sent, "all that was sent is received");
    of.after();
  }
};

}  // namespace troupe::model
