#pragma once

#include <utility>

#include <troupe/actor/ref.hpp>

namespace troupe::inline v0_1 {

/// Sends an actor what takes no room in its mailbox, in its order among the mail: for other systems
/// that look after it, as with end_hook. What comes too late for the actor is dropped unseen.
/// Threads: any. Errors: std::bad_alloc.
template <class A, class M>
void notify(const ref<A>& to, M notice) {
  static constexpr detail::envelope_table table = [] {
    detail::envelope_table of = detail::uncounted(detail::sent<A, M>::table);
    of.drop = [](detail::envelope& late, ask_errc) noexcept {
      detail::sent_of<M>::finish(late, nullptr);
    };
    return of;
  }();
  to.block().push_or_drop(*detail::sent_of<M>::make(table, std::move(notice)));
}

}  // namespace troupe::inline v0_1
