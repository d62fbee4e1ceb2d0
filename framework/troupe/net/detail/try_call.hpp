#pragma once

#include <cerrno>
#include <cstddef>
#include <optional>

#include <sys/types.h>

#include <troupe/io/stream_device.hpp>
#include <troupe/net/detail/owned_fd.hpp>
#include <troupe/net/detail/poller.hpp>

namespace troupe::inline v0_1::net::detail {

/// One try at the direction of a descriptor that `slot` is of: `call()`, a system call that gives a
/// count or -1, again while signals interrupt it.
///
/// Returns: its count; nothing when an event has to come first. After a count for which
/// `may_have_more(count)` holds, and after an error, the next try is worth it at once: no event
/// would come for what is there already (wait_slot R3).
template <class Call, class More>
io::attempt<std::size_t> try_call(wait_slot& slot, Call call, More may_have_more) noexcept {
  if (!slot.take_ready()) return std::nullopt;
  for (;;) {
    ssize_t count = call();
    if (count >= 0) {
      auto moved = static_cast<std::size_t>(count);
      if (may_have_more(moved)) slot.put_back();
      return moved;
    }
    if (errno == EAGAIN) return std::nullopt;
    if (errno == EINTR) continue;
    boost::system::error_code error = last_error();
    slot.put_back();
    return error;
  }
}

/// For what may have more after any count.
inline bool always(std::size_t) noexcept { return true; }

}  // namespace troupe::inline v0_1::net::detail
