#pragma once

#include <cstddef>
#include <optional>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

#include <troupe/actor/ref.hpp>
#include <troupe/pal/mutex.hpp>
#include <troupe/task/scope.hpp>

namespace troupe::inline v0_1 {

namespace detail {

template <class A, class M>
using answer_of_ref = typename receiver<A>::template answer<M>;

/// A request that its task can be asked to leave while the handler computes: that does not run
/// within the task's turn.
template <class Op>
class withdrawable {
public:
  static constexpr const char* name = Op::name;
  explicit withdrawable(Op&& op) : op_{std::move(op)} {}
  void start(std::source_location where) noexcept { start_at(op_, where); }
  bool poll() noexcept { return op_.poll(); }
  bool enlist(waker key) noexcept { return op_.enlist(key); }
  void delist() noexcept { op_.delist(); }
  auto take() { return op_.take(); }

private:
  Op op_;
};

}  // namespace detail

/// Asks all of them at once, each with a copy of `message`.
/// Returns: their answers or errors, in the order of `whom`.
/// Cancel: what was not answered is withdrawn.
template <class A, class M>
task<std::vector<result<detail::answer_of_ref<A, M>>>> ask_all(std::vector<ref<A>> whom, M message,
                                                               ask_limit limit = {}) {
  using answer = result<detail::answer_of_ref<A, M>>;
  std::vector<std::optional<answer>> found(whom.size());
  co_await scope([&](scope_handle all) -> task<> {
    for (std::size_t i = 0; i < whom.size(); ++i) {
      all.spawn([&, i]() -> task<> {
        M copy = message;
        detail::withdrawable asking{whom[i].ask(take(copy), limit).as_result()};
        found[i].emplace(co_await asking);
      });
    }
    co_return;
  });
  std::vector<answer> answers;
  for (auto& each : found) answers.push_back(std::move(*each));
  co_return answers;
}

/// Asks all of them at once and takes the first `needed` answers; the other requests are withdrawn.
/// Returns: these answers, in the order in which they came.
/// Errors:  the last error, as soon as too few can answer; `no_route` when there are too few.
template <class A, class M>
task<std::vector<detail::answer_of_ref<A, M>>> ask_quorum(std::size_t needed,
                                                          std::vector<ref<A>> whom, M message,
                                                          ask_limit limit = {}) {
  std::vector<detail::answer_of_ref<A, M>> answers;
  std::size_t failed = 0;
  boost::system::error_code last = make_error_code(ask_errc::no_route);
  pal::mutex mutex;  // The requests wait side by side, maybe on several workers.
  if (needed > whom.size()) {
    throw_error(last, "ask_quorum() was to get " + std::to_string(needed) + " answers of " +
                          std::to_string(whom.size()) + " actors");
  }
  co_await scope([&](scope_handle all) -> task<> {
    for (auto& each : whom) {
      all.spawn([&, all]() mutable -> task<> {
        M copy = message;
        detail::withdrawable asking{each.ask(take(copy), limit).as_result()};
        auto answer = co_await asking;
        pal::lock guard{mutex};
        if (answer.has_error()) {
          last = answer.error();
          ++failed;
        } else if (answers.size() < needed) {
          answers.push_back(std::move(*answer));
        }
        if (answers.size() == needed || whom.size() - failed < needed) all.request_stop();
      });
    }
    co_return;
  });
  if (answers.size() < needed) throw_error(last);
  co_return answers;
}

/// Asks all of them at once and takes the first answer; the other requests are withdrawn.
/// Errors: the last error, when none has answered.
template <class A, class M>
task<detail::answer_of_ref<A, M>> ask_first(std::vector<ref<A>> whom, M message,
                                            ask_limit limit = {}) {
  auto answers = co_await ask_quorum(1, std::move(whom), std::move(message), limit);
  co_return std::move(answers.front());
}

}  // namespace troupe::inline v0_1
