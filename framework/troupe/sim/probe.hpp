#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include <troupe/actor/actor.hpp>
#include <troupe/sim/node.hpp>

namespace troupe::inline v0_1::sim {

/// A probe got something else than its test expects, or nothing in time.
class unexpected : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

namespace detail {

template <class Mail, class M>
class noting {
public:
  explicit noting(std::shared_ptr<Mail> into) noexcept : mail_{std::move(into)} {}
  void on(M message) { mail_->emplace_back(std::move(message)); }

private:
  std::shared_ptr<Mail> mail_;
};

/// The actor of a probe.
template <class... Messages>
class note_taker : public actor, public noting<std::deque<std::variant<Messages...>>, Messages>... {
public:
  using mail = std::deque<std::variant<Messages...>>;
  explicit note_taker(std::shared_ptr<mail> into)
      : noting<std::deque<std::variant<Messages...>>, Messages>{into}... {}
  using noting<std::deque<std::variant<Messages...>>, Messages>::on...;
};

}  // namespace detail

/// An actor for tests, that notes what it gets: the test sends its ref to others, and looks.
///
/// Requires: its node lives at the beginning; the world outlives it.
/// Threads:  the world's alone.
/// Example:
///     sim::probe<pong> p{client};
///     server.spawn(ping_once, service, p.ref());
///     pong got = p.expect<pong>(1s);
///     p.expect_nothing(10s);
template <class... Messages>
class probe {
public:
  using actor_type = detail::note_taker<Messages...>;

  explicit probe(node& home)
      : home_{home},
        mail_{std::make_shared<typename actor_type::mail>()},
        ref_{home.block_on([this]() -> task<troupe::ref<actor_type>> {
          co_return troupe::spawn<actor_type>(mail_);
        })} {}
  probe(const probe&) = delete;
  probe& operator=(const probe&) = delete;

  [[nodiscard]] const troupe::ref<actor_type>& ref() const noexcept { return ref_; }

  /// Runs the world until the probe has a message, up to `within`. Returns: the oldest one.
  /// Errors: unexpected, when none comes or it is no M; what the world throws.
  template <class M>
  M expect(duration within) {
    if (!home_.run_world_until([this] { return !mail_->empty(); }, within)) {
      throw unexpected{fmt::format("nothing came, where a message was expected within {} ms",
                                   within / std::chrono::milliseconds{1})};
    }
    auto* wanted = std::get_if<M>(&mail_->front());
    if (wanted == nullptr) throw unexpected{"a message of another type came than was expected"};
    M got = std::move(*wanted);
    mail_->pop_front();
    return got;
  }
  /// Runs the world for `length`. Errors: unexpected, when a message is there, or comes.
  void expect_nothing(duration length) {
    if (home_.run_world_until([this] { return !mail_->empty(); }, length)) {
      throw unexpected{"a message came, where none was expected"};
    }
  }
  /// Returns: how many messages wait to be expected.
  [[nodiscard]] std::size_t size() const noexcept { return mail_->size(); }

private:
  node& home_;
  std::shared_ptr<typename actor_type::mail> mail_;
  troupe::ref<actor_type> ref_;
};

}  // namespace troupe::inline v0_1::sim
