#pragma once

#include <chrono>

#include <actors/coordinator.hpp>

#include "transport.hpp"

namespace service {

/// Measures round-trip times over the one transport, for one requester at a time.
using coordinator = troupe::actors::coordinator<transport, ping>;

/// Returns: the time, or the error of the transport or of the request, which waits for five seconds
/// at most, also when they are spent in the queue.
inline troupe::task<troupe::result<round_trip>> measure_rtt(troupe::ref<coordinator> by) {
  auto answer = co_await by.ask<ping>(troupe::within{std::chrono::seconds{5}}).as_result();
  if (!answer) co_return answer.error();
  co_return *answer;
}

}  // namespace service
