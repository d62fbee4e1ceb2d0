// The oneshot: docs/protocols/oneshot.md, sync/oneshot.hpp. Two ends of one cell, which either may
// leave at any moment; the second destroys it.
//
// What it cannot see: a value whose move or destructor takes steps of its own.

#include <model/model.hpp>
#include <model/modelled_task.hpp>
#include <model/parcel.hpp>

#include <optional>
#include <utility>

#include <troupe/base/memory.cpp>
#include <troupe/sync/oneshot.hpp>

namespace troupe::detail {

void keep_blocks(bool) noexcept {}  // In place of base/block_pool.cpp: none are kept.

}  // namespace troupe::detail

namespace troupe::model {

/// What both ends do is drawn: the sender sends or leaves, the receiver awaits, looks once, or
/// leaves.
template <unsigned threads>
struct oneshot_ends_meet : scenario<oneshot_ends_meet<threads>, threads> {
  static constexpr const char* name = threads == 2 ? "two_ends" : "two_ends_and_a_stop";

  enum class receives { all, one_look, nothing };

  std::optional<oneshot_ends<parcel>> ends;
  std::optional<modelled_task> receiver;
  bool sends = false;
  receives how = receives::all;
  bool has_come_back = false;
  bool was_stopped = false;
  bool has_ended = false;
  int received = 0;

  void before() {
    parcel::alive = 0;
    ends.emplace();
    sends = choose(2) == 0;
    how = static_cast<receives>(choose(3));
    if (threads > 2) receiver.emplace();
  }

  void thread(unsigned index) {
    if (index == 0) return send();
    if (index == 1) return receive();
    receiver->core().request_stop();
  }

  void after() {
    ends.reset();
    check(parcel::alive == 0, "all values are destroyed");
    check(received == 0 || (received == 7 && sends), "what is received was sent");
    check(!has_come_back || sends, "what comes back was sent");
    if (how == receives::all && !was_stopped)
      check(has_ended && (received == 7) == sends, "who awaits gets the value or the end");
    if (how == receives::nothing) check(received == 0, "who does not look receives nothing");
    if (received == 7) check(!has_come_back, "one value is in one place");
  }

private:
  void send() {
    oneshot_sender<parcel> tx{std::move(ends->tx)};
    if (!sends) return;
    std::optional<parcel> back = tx.send(parcel{7});
    if (!back) return;
    has_come_back = true;
    check(back->read() == 7, "it comes back as it was");
  }

  void receive() {
    oneshot_receiver<parcel> rx{std::move(ends->rx)};
    if (how == receives::nothing) return;
    if (how == receives::one_look) {
      result<parcel> seen = rx.try_recv();
      return note(seen);
    }
    if (!receiver) receiver.emplace();  // So who wakes it has not seen its cell being made.
    auto waiting = rx.as_operation();
    was_stopped = !receiver->await(waiting);
    if (was_stopped) return;
    result<parcel> seen = waiting.take();
    note(seen);
  }

  void note(result<parcel>& seen) {
    if (seen.has_value()) received = seen->read();
    has_ended = seen.has_value() || seen.error() == make_error_code(errc::closed);
  }
};

/// The two ends, on two threads.
using oneshot_of_two = oneshot_ends_meet<2>;
/// The receiver's wait may be ended by a stop request as well.
using oneshot_with_stop = oneshot_ends_meet<3>;

}  // namespace troupe::model

int main(int argc, char** argv) {
  using namespace troupe::model;
  return run<oneshot_of_two, oneshot_with_stop>("oneshot", argc, argv);
}
