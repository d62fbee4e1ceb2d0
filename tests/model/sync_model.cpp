// What tasks wait for together: event, semaphore, watch and broadcast of framework/troupe/sync/,
// docs/protocols/parking_lot.md.
//
// Most of them stands under a lock. What does not is shown here: the word of an event and that of a
// progress, which are read without it, and the counts of owners, of which the last one frees.
//
// Not seen: the lists of the parking lot beside their locks.

#include <model/model.hpp>

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include <model/fresh_parking_lot.hpp>
#include <model/tasks.hpp>

#include <troupe/base/result.cpp>
#include <troupe/sync/broadcast.hpp>
#include <troupe/sync/detail/broadcast_core.cpp>
#include <troupe/sync/event.cpp>
#include <troupe/sync/semaphore.cpp>
#include <troupe/sync/watch.hpp>

namespace troupe::model {

namespace {

using detail::task_core;

// A value that tells whether its copies and its end are in order.
class content {
public:
  explicit content(int value) { value_.write(value); }
  content(const content& other) { value_.write(other.value_.read()); }
  content(content&& other) noexcept {
    value_.write(other.value_.read());
    other.value_.write(-1);
  }
  content& operator=(const content& other) {
    value_.write(other.value_.read());
    return *this;
  }
  content& operator=(content&& other) noexcept {
    value_.write(other.value_.read());
    other.value_.write(-1);
    return *this;
  }
  ~content() { value_.write(-1); }

  [[nodiscard]] int value() const { return value_.read(); }

private:
  plain<int> value_;
};

// Two events, one after the other; who has seen one takes it away at once. They lie in the
// scenario, at one place in each schedule: which of the lot's locks is theirs depends on that.
struct events : scenario<events, 3> {
  static constexpr const char* name = "events";

  fresh_parking_lot lot;
  tasks all;
  std::array<plain<int>, 2> written;
  std::array<std::optional<event>, 2> set_by_thread;
  int over = 0;

  static task<> body(events& in, std::size_t which) {
    co_await in.set_by_thread[which]->wait();
    check(in.written[which].read() == 1, "who sees an event sees what was done before");
    in.set_by_thread[which].reset();
    ++in.over;
  }

  void before() {
    for (std::size_t i = 0; i < 2; ++i) {
      set_by_thread[i].emplace();
      all.start_on_thread(i, &body, std::ref(*this), i).detach();
    }
  }
  void thread(unsigned index) {
    tasks::work_here();
    if (index == 2) {
      for (std::size_t i = 0; i < 2; ++i) {
        written[i].write(1);
        set_by_thread[i]->set();
      }
    }
    all.run_ready();
  }
  void after() {
    check(over == 2, "who waits for an event is told");
    check(all.alive() == 0, "each task ends");
  }
};

// One permit goes from hand to hand; a stop request comes, and the semaphore goes before its
// permits.
struct permits : scenario<permits, 3> {
  static constexpr const char* name = "permits";

  tasks all;
  std::unique_ptr<semaphore> one;
  plain<int> guarded{0};
  task_core* second = nullptr;
  int held = 0;
  int over = 0;

  static task<> body(permits& in) {
    try {
      auto permit = co_await in.one->acquire();
      in.guarded.write(in.guarded.read() + 1);
      ++in.held;
    } catch (const canceled&) {
    }
    ++in.over;
  }

  void before() {
    one = std::make_unique<semaphore>(1);
    all.start_on_thread(0, &body, std::ref(*this)).detach();
    second = &all.start_on_thread(1, &body, std::ref(*this));
  }
  void thread(unsigned index) {
    tasks::work_here();
    if (index == 2) second->request_stop();
    all.run_ready();
  }
  void after() {
    check(over == 2, "who waits for a permit gets it, or is stopped");
    check(held == guarded.read() && held > 0, "a permit is held by one at a time");
    second->detach();
    check(one->available() == 1, "each permit comes back");
    one.reset();
    check(all.alive() == 0, "each task ends");
  }
};

// The semaphore ends while a permit of it is given back.
struct last_permit : scenario<last_permit, 2> {
  static constexpr const char* name = "last_permit";

  std::unique_ptr<semaphore> one;
  std::optional<semaphore::permit> held;

  void before() {
    one = std::make_unique<semaphore>(1);
    held.emplace(*one->try_acquire());
  }
  void thread(unsigned index) {
    if (index == 0) {
      one.reset();
    } else {
      held.reset();
    }
  }
};

// Two senders change a watched value and go; a receiver takes what is new, until the end.
struct changes : scenario<changes, 3> {
  static constexpr const char* name = "changes";

  fresh_parking_lot lot;
  tasks all;
  std::array<std::optional<watch_sender<content>>, 2> senders;
  std::optional<watch_receiver<content>> receiver;
  std::array<plain<int>, 2> written;
  int last = 0;
  bool is_over = false;

  static task<> body(changes& in) {
    for (;;) {
      auto next = co_await in.receiver->next();
      if (!next) break;
      in.last = next->value();
    }
    for (const auto& each : in.written) {
      check(each.read() == 1, "who sees the end sees what all senders did");
    }
    in.receiver.reset();
    in.is_over = true;
  }

  void before() {
    auto [tx, rx] = watch(content{0});
    senders[0].emplace(tx);
    senders[1].emplace(std::move(tx));
    receiver.emplace(std::move(rx));
    all.start_on_thread(2, &body, std::ref(*this)).detach();
  }
  void thread(unsigned index) {
    tasks::work_here();
    if (index < 2) {
      senders[index]->set(content{static_cast<int>(index) + 1});
      written[index].write(1);
      senders[index].reset();
    }
    all.run_ready();
  }
  void after() {
    check(is_over, "a receiver is told of changes, and of the end");
    check(last == 1 || last == 2, "the last value is not skipped");
    check(all.alive() == 0, "each task ends");
  }
};

// A receiver waits for one change; its sender stays.
struct one_change : scenario<one_change, 2> {
  static constexpr const char* name = "one_change";

  fresh_parking_lot lot;
  tasks all;
  std::optional<watch_sender<content>> sender;
  std::optional<watch_receiver<content>> receiver;
  bool is_over = false;

  static task<> body(one_change& in) {
    auto next = co_await in.receiver->next();
    check(next && next->value() == 1, "a change gives the new value");
    in.is_over = true;
  }

  void before() {
    auto [tx, rx] = watch(content{0});
    sender.emplace(std::move(tx));
    receiver.emplace(std::move(rx));
    all.start_on_thread(1, &body, std::ref(*this)).detach();
  }
  void thread(unsigned index) {
    tasks::work_here();
    if (index == 0) sender->set(content{1});
    all.run_ready();
  }
  void after() {
    check(is_over, "a receiver is told of a change");
    check(all.alive() == 0, "each task ends");
  }
};

// A value goes to two receivers, of which the last one takes it over.
struct copies : scenario<copies, 3> {
  static constexpr const char* name = "copies";

  fresh_parking_lot lot;
  tasks all;
  std::optional<broadcast_sender<content>> sender;
  std::array<std::optional<broadcast_receiver<content>>, 2> receivers;
  std::array<int, 2> sum{};
  plain<int> written;
  int over = 0;

  static task<> body(copies& in, std::size_t which) {
    for (;;) {
      auto got = co_await in.receivers[which]->recv();
      if (!got) break;
      if (auto* lag = std::get_if<lagged>(&*got)) {
        in.sum[which] += static_cast<int>(lag->count);
      } else {
        in.sum[which] += std::get<content>(*got).value();
      }
    }
    check(in.written.read() == 1, "who sees the end sees what the sender did");
    in.receivers[which].reset();
    ++in.over;
  }

  void before() {
    auto [tx, rx] = broadcast<content>(1);
    receivers[0].emplace(std::move(rx));
    receivers[1].emplace(tx.subscribe());
    sender.emplace(std::move(tx));
    for (std::size_t i = 0; i < 2; ++i) all.start_on_thread(i, &body, std::ref(*this), i).detach();
  }
  void thread(unsigned index) {
    tasks::work_here();
    if (index == 2) {
      for (int i = 0; i < 2; ++i) {
        sender->send(content{1});
        all.run_ready();
      }
      written.write(1);
      sender.reset();
    }
    all.run_ready();
  }
  void after() {
    check(over == 2, "a receiver is told of values, and of the end");
    check(sum[0] == 2 && sum[1] == 2, "each value is received, or counted as missed");
    check(all.alive() == 0, "each task ends");
  }
};

}  // namespace

}  // namespace troupe::model

int main(int argc, char** argv) {
  using namespace troupe::model;
  fresh_parking_lot::make();
  return run<events, permits, last_permit, changes, one_change, copies>("sync", argc, argv);
}
