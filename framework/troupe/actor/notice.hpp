#pragma once

#include <utility>

#include <troupe/actor/ref.hpp>

namespace troupe::inline v0_1 {

/// Sends an actor what takes no room in its mailbox, in its order among the mail: for other systems
/// that look after it, as with end_hook. What comes after its end is reported as undelivered.
/// Threads: any. Errors: std::bad_alloc.
template <class A, class M>
void notify(const ref<A>& to, M notice) {
  static constexpr detail::envelope_table table = detail::uncounted(detail::sent<A, M>::table);
  to.block().push_or_drop(*detail::sent_of<M>::make(table, std::move(notice)));
}

}  // namespace troupe::inline v0_1
