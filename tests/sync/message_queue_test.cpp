#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/pal/thread.hpp>
#include <troupe/sim/explore.hpp>
#include <troupe/sync/message_queue.hpp>

#include <threads.hpp>

namespace troupe::detail {

using pushed = message_queue::pushed;

namespace {

struct note : message_link {
  std::size_t sender = 0;
  std::size_t number = 0;
};

// One channel at its smallest: senders that send or reserve, park when there is no room, one
// receiver that pops, gives room back and sleeps, and somebody who closes. One step of anybody is
// one operation on the queue's word, so the orders of steps are all there is.
class model {
public:
  struct plan {
    std::size_t senders = 2;
    std::size_t messages = 1;  // Of each sender but the first,
    std::size_t first = 1;     // which sends so many.
    std::uint32_t capacity = 1;
    bool reserves = false;  // Sender 0 reserves its room first.
    bool closes = false;    // Somebody closes at some moment; else the last sender does.
    bool spurious = false;  // The receiver is woken once for nothing.
    bool visits = false;    // Somebody comes once, and does the work of a receiver that sleeps.
  };

  model(const plan& wanted, sim::choices& choice) : plan_{wanted}, choice_{choice} {
    senders_.resize(wanted.senders);
    notes_.resize(wanted.senders);
    for (std::size_t s = 0; s < wanted.senders; ++s) {
      notes_[s] = std::vector<note>(s == 0 ? wanted.first : wanted.messages);
      for (std::size_t n = 0; n < notes_[s].size(); ++n) {
        notes_[s][n].sender = s;
        notes_[s][n].number = n;
      }
    }
    may_close_ = wanted.closes;
    may_wake_in_vain_ = wanted.spurious;
    may_visit_ = wanted.visits;
  }

  /// Returns: what went wrong first; null when nothing did.
  const char* run() {
    for (;;) {
      std::array<std::size_t, 8> movable;
      std::size_t count = 0;
      for (std::size_t who = 0; who < senders_.size() + 5; ++who) {
        if (can_step(who)) movable[count++] = who;
      }
      if (count == 0) break;
      step(movable[count == 1 ? 0 : choice_.pick(count)]);
    }
    check_end();
    return wrong_;
  }

private:
  enum class stage { ready, refused, parked, holding, gone };
  struct sending {
    stage at = stage::ready;
    std::size_t next = 0;
  };

  [[nodiscard]] std::size_t receiver() const { return senders_.size(); }
  [[nodiscard]] std::size_t waking() const { return senders_.size() + 1; }
  [[nodiscard]] std::size_t closing() const { return senders_.size() + 2; }
  [[nodiscard]] std::size_t vainly() const { return senders_.size() + 3; }
  [[nodiscard]] std::size_t visiting() const { return senders_.size() + 4; }

  [[nodiscard]] bool can_step(std::size_t who) const {
    if (who == receiver()) return !ended_ && (!asleep_ || wake_owed_);
    if (who == waking()) return wakes_owed_ > 0;
    if (who == closing()) return may_close_;
    if (who == vainly()) return may_wake_in_vain_ && asleep_;
    if (who == visiting()) return may_visit_;
    return senders_[who].at != stage::parked && senders_[who].at != stage::gone;
  }

  void expect(bool holds, const char* otherwise) {
    if (!holds && wrong_ == nullptr) wrong_ = otherwise;
  }

  void step(std::size_t who) {
    if (who == receiver()) return receive();
    if (who == waking()) return wake_parked();
    if (who == closing()) return close();
    if (who == vainly()) {
      may_wake_in_vain_ = false;
      wake_owed_ = true;
      return;
    }
    if (who == visiting()) return visit();
    send(who);
  }

  // From then on the receiver's steps are the visitor's: it does not have to be woken.
  void visit() {
    may_visit_ = false;
    void* mark = nullptr;
    if (!queue_.wake(left_awake_, mark)) return;
    expect(asleep_ && !wake_owed_, "two have woken one receiver");
    asleep_ = false;
    is_visited_ = true;
  }

  void send(std::size_t who) {
    sending& self = senders_[who];
    bool by_permit = plan_.reserves && who == 0;
    if (self.at == stage::refused) {  // Under the lock of the parking lot: one step with the wish.
      self.at = queue_.want_room(plan_.capacity) ? stage::parked : stage::ready;
      return;
    }
    pushed how;
    if (self.at == stage::holding) {
      how = queue_.push_reserved(notes_[who][self.next]);
      self.at = stage::ready;
    } else if (by_permit) {
      how = queue_.reserve(plan_.capacity);
      if (how == pushed::sent) {
        self.at = stage::holding;
        return;
      }
    } else {
      how = queue_.push(notes_[who][self.next], plan_.capacity);
    }
    after_push(who, how);
  }

  void after_push(std::size_t who, pushed how) {
    sending& self = senders_[who];
    expect(queue_.count() <= plan_.capacity, "more messages than room");
    if (how == pushed::full) {
      self.at = stage::refused;
      return;
    }
    if (how == pushed::closed) {
      self.at = stage::gone;
      leave();
      return;
    }
    ++sent_;
    if (how == pushed::sent_to_idle) wake_receiver();
    if (++self.next == notes_[who].size()) {
      self.at = stage::gone;
      leave();
    }
  }

  void leave() {
    if (++left_ == senders_.size()) close();
  }

  void close() {
    may_close_ = false;
    auto to_wake = queue_.close();
    if (to_wake.receiver_sleeps) wake_receiver();
    if (to_wake.senders_wait) wakes_owed_ += senders_.size();
  }

  void wake_receiver() {
    expect(asleep_, "a receiver woken that does not sleep");
    wake_owed_ = true;
  }

  void receive() {
    bool senders_wait = false;
    if (asleep_) {
      asleep_ = wake_owed_ = false;
      queue_.leave_idle();
    } else if (std::exchange(is_visited_, false) && queue_.sleep_again(left_awake_, nullptr)) {
      asleep_ = true;
    } else if (taken_ != nullptr) {
      auto& got = static_cast<note&>(*taken_);
      taken_ = got.next;
      expect(got.number == received_[got.sender]++, "a message lost, repeated or out of order");
      ++begun_;
    } else if (auto* all = queue_.take_all(begun_, senders_wait)) {
      taken_ = all;
      pass_room(senders_wait);
    } else if (queue_.at_end(begun_)) {
      ended_ = true;
    } else if (queue_.try_idle(begun_, senders_wait)) {
      asleep_ = true;
      pass_room(senders_wait);
    }
  }

  void pass_room(bool senders_wait) {
    if (senders_wait) wakes_owed_ += begun_;
    begun_ = 0;
  }

  // One parked sender; the one who takes the last one off says that no room is wanted.
  void wake_parked() {
    --wakes_owed_;
    bool any_left = false, woken = false;
    for (auto& each : senders_) {
      if (each.at != stage::parked) continue;
      if (woken) {
        any_left = true;
      } else {
        each.at = stage::ready;
        woken = true;
      }
    }
    if (!any_left) queue_.room_is_wanted_no_more();
  }

  void check_end() {
    expect(ended_, "the receiver sleeps for ever");
    std::size_t received = 0;
    for (auto count : received_) received += count;
    expect(received == sent_, "a message lost");
    for (auto& each : senders_) expect(each.at == stage::gone, "a sender sleeps for ever");
    expect(taken_ == nullptr && queue_.at_end(begun_), "the end is not the end");
  }

  const plan plan_;
  sim::choices& choice_;
  message_queue queue_;
  std::vector<sending> senders_;
  std::vector<std::vector<note>> notes_;
  std::array<std::size_t, 4> received_{};
  message_link* taken_ = nullptr;
  std::uint32_t begun_ = 0;
  std::size_t sent_ = 0, left_ = 0, wakes_owed_ = 0;
  bool asleep_ = false, wake_owed_ = false, ended_ = false;
  bool is_visited_ = false;
  std::uint64_t left_awake_ = 0;
  bool may_close_ = false, may_wake_in_vain_ = false, may_visit_ = false;
  const char* wrong_ = nullptr;
};

// Returns: the number of orders.
std::size_t explore_all(const model::plan& wanted) {
  const char* wrong = nullptr;
  std::size_t orders = sim::explore([&](sim::choices& choice) {
    const char* found = model{wanted, choice}.run();
    if (wrong == nullptr) wrong = found;
  });
  BOOST_TEST(wrong == nullptr, (wrong == nullptr ? "" : wrong));
  BOOST_TEST_MESSAGE(orders << " orders");
  return orders;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(message_queue_)

BOOST_AUTO_TEST_CASE(takes_messages_in_the_order_of_sending) {
  message_queue queue;
  note first, second, third;
  BOOST_CHECK(queue.push(first, 8) == pushed::sent);
  BOOST_CHECK(queue.push(second, 8) == pushed::sent);
  BOOST_CHECK(queue.push(third, 8) == pushed::sent);
  bool senders_wait = true;
  message_link* all = queue.take_all(0, senders_wait);
  BOOST_CHECK(all == &first && first.next == &second && second.next == &third && !third.next);
  BOOST_TEST(!senders_wait);
  BOOST_TEST(queue.count() == 3u);  // Taken is not begun.
}

BOOST_AUTO_TEST_CASE(only_the_push_that_meets_a_sleeper_must_wake_it) {
  message_queue queue;
  note first, second;
  bool senders_wait = false;
  BOOST_TEST(queue.try_idle(0, senders_wait));
  BOOST_CHECK(queue.push(first, 8) == pushed::sent_to_idle);
  BOOST_CHECK(queue.push(second, 8) == pushed::sent);
  BOOST_TEST(!queue.try_idle(0, senders_wait));
}

BOOST_AUTO_TEST_CASE(who_wakes_the_receiver_is_told_of_its_mark) {
  alignas(16) std::byte place[16];
  auto mark_receiver = [&](message_queue& queue) {
    bool senders_wait = false;
    std::uint64_t awake = 0;
    void* mark = nullptr;
    BOOST_TEST(queue.try_idle(0, senders_wait));
    BOOST_TEST(queue.wake(awake, mark));
    BOOST_TEST(mark == nullptr);
    BOOST_TEST(queue.sleep_again(awake, place));
    BOOST_TEST(queue.sleeps_with(place));
    BOOST_TEST(!queue.sleeps_with(nullptr));
  };
  message_queue pushed_to, poked, woken, left;
  for (auto* each : {&pushed_to, &poked, &woken, &left}) mark_receiver(*each);
  note first;
  void* mark = nullptr;
  BOOST_CHECK(pushed_to.push(first, 8, mark) == pushed::sent_to_idle);
  BOOST_TEST(mark == place);
  bool senders_wait = false;
  BOOST_CHECK(pushed_to.take_all(0, senders_wait) == &first && first.next == nullptr);
  mark = nullptr;
  BOOST_TEST(poked.poke(mark));
  BOOST_TEST(mark == place);
  BOOST_TEST(poked.take_poke());
  std::uint64_t awake = 0;
  mark = nullptr;
  BOOST_TEST(woken.wake(awake, mark));
  BOOST_TEST(mark == place);
  BOOST_TEST(left.leave_idle());
  for (auto* each : {&pushed_to, &poked, &woken, &left}) {
    BOOST_TEST(!each->sleeps_with(place));
    BOOST_TEST(each->take_all(0, senders_wait) == nullptr);
  }
}

BOOST_AUTO_TEST_CASE(a_full_queue_leaves_the_message_alone) {
  message_queue queue;
  note first, second;
  BOOST_CHECK(queue.push(first, 1) == pushed::sent);
  BOOST_CHECK(queue.push(second, 1) == pushed::full);
  BOOST_CHECK(queue.reserve(1) == pushed::full);
  BOOST_TEST(!queue.has_room(1));
  bool senders_wait = false;
  BOOST_CHECK(queue.take_all(0, senders_wait) == &first && first.next == nullptr);
  BOOST_TEST(!queue.give_back(1).wanted);
  BOOST_CHECK(queue.push(second, 1) == pushed::sent);
}

BOOST_AUTO_TEST_CASE(counts_up_to_the_largest_capacity) {
  message_queue queue;
  for (std::uint32_t i = 0; i < message_queue::max_capacity; ++i) {
    BOOST_REQUIRE(queue.reserve(message_queue::max_capacity) == pushed::sent);
  }
  BOOST_CHECK(queue.reserve(message_queue::max_capacity) == pushed::full);
  BOOST_TEST(queue.count() == message_queue::max_capacity);
  BOOST_TEST(!queue.is_closed());
  (void)queue.give_back(message_queue::max_capacity);
  BOOST_TEST(queue.count() == 0u);
}

BOOST_AUTO_TEST_CASE(an_unbounded_queue_is_never_full) {
  message_queue queue;
  std::vector<note> notes(70'000);
  for (auto& each : notes) BOOST_REQUIRE(queue.push(each, 0) == pushed::sent);
  bool senders_wait = false;
  std::size_t count = 0;
  for (auto* at = queue.take_all(0, senders_wait); at != nullptr; at = at->next) ++count;
  BOOST_TEST(count == notes.size());
}

BOOST_AUTO_TEST_CASE(a_reserved_message_gets_into_a_closed_queue_and_delays_its_end) {
  message_queue queue;
  note late, refused;
  BOOST_CHECK(queue.reserve(2) == pushed::sent);
  (void)queue.close();
  BOOST_CHECK(queue.push(refused, 2) == pushed::closed);
  BOOST_CHECK(queue.reserve(2) == pushed::closed);
  BOOST_TEST(!queue.at_end(0));
  BOOST_CHECK(queue.push_reserved(late) == pushed::sent);
  bool senders_wait = false;
  BOOST_CHECK(queue.take_all(0, senders_wait) == &late);
  BOOST_TEST(queue.at_end(1));
}

BOOST_AUTO_TEST_CASE(the_last_permit_given_back_tells_that_a_sleeper_has_reached_the_end) {
  message_queue queue;
  bool senders_wait = false;
  BOOST_CHECK(queue.reserve(2) == pushed::sent);
  BOOST_CHECK(queue.reserve(2) == pushed::sent);
  (void)queue.close();
  BOOST_TEST(queue.try_idle(0, senders_wait));
  BOOST_TEST(!queue.give_back(1).at_end);
  BOOST_TEST(queue.give_back(1).at_end);
}

// Goal:   no order of steps loses a message, repeats or reorders one of a sender, exceeds the
//         capacity, wakes a receiver that does not sleep, or leaves anybody asleep for ever.
// Method: every order of the steps of all parties, each one operation on the word.
BOOST_AUTO_TEST_CASE(no_order_of_two_senders_for_one_room_loses_a_message) {
  model::plan wanted;
  wanted.first = 2;
  wanted.spurious = !test::is_slow_build;
  BOOST_TEST(explore_all(wanted) > 1000u);
}

BOOST_AUTO_TEST_CASE(no_order_of_three_messages_of_one_sender_loses_a_message) {
  model::plan wanted;
  wanted.senders = 1;
  wanted.first = 3;
  wanted.spurious = true;
  BOOST_TEST(explore_all(wanted) > 1000u);
}

BOOST_AUTO_TEST_CASE(no_order_with_two_rooms_loses_a_message) {
  model::plan wanted;
  wanted.capacity = 2;
  wanted.senders = 3;
  wanted.spurious = true;
  BOOST_TEST(explore_all(wanted) > 1000u);
}

BOOST_AUTO_TEST_CASE(no_order_with_a_visitor_who_works_for_the_receiver_loses_a_message) {
  model::plan wanted;
  wanted.visits = true;
  wanted.closes = true;
  BOOST_TEST(explore_all(wanted) > 1000u);
}

BOOST_AUTO_TEST_CASE(no_order_with_a_permit_and_a_close_loses_a_message) {
  model::plan wanted;
  wanted.reserves = true;
  wanted.closes = true;
  wanted.spurious = true;
  BOOST_TEST(explore_all(wanted) > 1000u);
}

// Goal:   the same under real concurrency, with real memory orders (TSan looks on).
// Method: threads push as fast as they can; the receiver sleeps by spinning on a flag.
BOOST_AUTO_TEST_CASE(threads_hammering_a_small_queue_lose_nothing) {
  constexpr std::size_t senders = 3;
  constexpr std::uint32_t capacity = 4;
  const std::size_t each = test::rounds(20'000);
  message_queue queue;
  pal::atomic<bool> awake{true};
  std::vector<std::vector<note>> notes(senders);
  for (auto& of_one : notes) of_one = std::vector<note>(each);
  std::array<std::size_t, senders> received{};
  std::size_t out_of_order = 0, wakes_in_vain = 0;

  auto send = [&](std::size_t self) {
    for (std::size_t n = 0; n < each; ++n) {
      note& mine = notes[self][n];
      mine.sender = self;
      mine.number = n;
      pushed how;
      while ((how = queue.push(mine, capacity)) == pushed::full) std::this_thread::yield();
      if (how == pushed::sent_to_idle && awake.exchange(true)) ++wakes_in_vain;
    }
  };
  auto receive = [&] {
    std::uint32_t begun = 0;
    bool senders_wait = false;
    for (std::size_t count = 0; count < senders * each;) {
      message_link* all = queue.take_all(begun, senders_wait);
      if (all != nullptr) begun = 0;
      for (; all != nullptr; ++count, ++begun) {
        auto& got = static_cast<note&>(*all);
        all = got.next;
        if (got.number != received[got.sender]++) ++out_of_order;
        if (begun == 2) (void)queue.give_back(std::exchange(begun, 0));
      }
      if (count == senders * each) break;
      awake.store(false);
      if (queue.try_idle(begun, senders_wait)) {
        begun = 0;
        test::wait_until([&] { return awake.load(); });
      } else {
        awake.store(true);
      }
    }
  };
  test::race(senders + 1, [&](std::size_t i) { i < senders ? send(i) : receive(); });
  BOOST_TEST(out_of_order == 0u);
  BOOST_TEST(wakes_in_vain == 0u);
  for (auto count : received) BOOST_TEST(count == each);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::detail
