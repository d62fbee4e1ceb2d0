#include "coordinator.hpp"

#include <chrono>

#include <troupe/sched/sleep.hpp>
#include <troupe/sched/timeout.hpp>

namespace service {

troupe::task<> coordinate(troupe::receiver<coordinator::message> requests, transport owned) {
  while (auto reply = co_await requests.recv()) {
    if (reply->receiver_gone()) continue;
    measurement answer;
    try {
      answer.round_trip = co_await owned.ping();
    } catch (const troupe::system_error& error) {
      answer.error = error.code();
    }
    reply->send(answer);  // If the requester has gone meanwhile, the answer has no use.
  }
}

troupe::task<troupe::result<troupe::duration>> coordinator::rtt() {
  troupe::time_point deadline = troupe::now() + std::chrono::seconds{5};
  auto ends = troupe::oneshot<measurement>();
  auto sent = co_await troupe::timeout_at(deadline, to_.send(std::move(ends.tx))).as_result();
  if (!sent) co_return sent.error();
  auto answer = co_await troupe::timeout_at(deadline, ends.rx.as_operation()).as_result();
  if (!answer) co_return answer.error();
  if (answer->error) co_return answer->error;
  co_return answer->round_trip;
}

}  // namespace service
