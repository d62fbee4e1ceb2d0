#pragma once

#include <memory>
#include <string>

#include <troupe/version.hpp>

namespace troupe::inline v0_1::detail {

class actor_block;

/// Looks whether `target` cannot go on before `start` does: because its handler waits for another
/// actor, and so on, back to `start`. Each link is one `task_core::awaited()`, of a handler that is
/// the only one of its actor.
///
/// What is read may be old, so the walk is made twice: it counts when every handler on it was in
/// the same wait both times. Then all of them wait, and only one of them could wake another.
/// Returns: the cycle in words, "a -> b -> a"; null when there is none.
/// Threads: any. Bounds: 1024 actors; a longer chain is not seen.
[[nodiscard]] std::unique_ptr<std::string> find_cycle(actor_block& start, actor_block& target);

/// Returns: for whom `start` waits, and that one in turn, as far as it can be seen here: "a -> b".
/// Of 16 actors at most; who is at another node is the last one. Errors: std::bad_alloc.
[[nodiscard]] std::unique_ptr<std::string> chain_of_waits(actor_block& start, actor_block& target);

}  // namespace troupe::inline v0_1::detail
