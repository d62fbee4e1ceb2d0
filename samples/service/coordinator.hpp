#pragma once

#include <utility>

#include <troupe/base/result.hpp>
#include <troupe/pal/clock.hpp>
#include <troupe/sync/mpsc.hpp>
#include <troupe/sync/oneshot.hpp>
#include <troupe/task/task.hpp>

#include "transport.hpp"

namespace service {

/// A round-trip time, or why there is none.
struct measurement {
  troupe::duration round_trip{};
  boost::system::error_code error;
};

/// Measures round-trip times over the one transport, for one requester at a time.
class coordinator {
public:
  /// The request is nothing but the place of its answer.
  using message = troupe::oneshot_sender<measurement>;

  explicit coordinator(troupe::sender<message> to) noexcept : to_{std::move(to)} {}

  /// Returns: the time, or the error of the transport; errc::timed_out after five seconds, also
  /// when
  ///          they were spent in the queue; errc::closed when the coordinator is gone.
  troupe::task<troupe::result<troupe::duration>> rtt();

private:
  troupe::sender<message> to_;
};

/// The coordinator's task: ends with its last sender.
troupe::task<> coordinate(troupe::receiver<coordinator::message> requests, transport owned);

}  // namespace service
