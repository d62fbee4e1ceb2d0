#pragma once

#include <utility>

#include <troupe/actor/actor.hpp>
#include <troupe/io/stream.hpp>

#include "answers.hpp"
#include "requests.hpp"

namespace keyval {

/// One peer, who is answered until it ends. How is what a class derived from this says.
class conversation : public troupe::actor {
public:
  void on_start() {
    self().spawn([this] { return converse(); });
  }

protected:
  explicit conversation(troupe::io::stream peer) : peer_{std::move(peer)} {}
  conversation(const conversation&) = delete;
  conversation& operator=(const conversation&) = delete;
  ~conversation() = default;

  /// Puts the answer to one request into out_.
  virtual troupe::task<> answer(words asked) = 0;

  answers out_;

private:
  troupe::task<> converse() {
    try {
      for (bool is_over = false; !is_over;) {
        std::size_t count = co_await peer_.read_some(asked_.room());
        asked_.took(count);
        co_await answer_all();
        co_await peer_.write_all(out_.bytes);
        out_.bytes.clear();
        is_over = count == 0 || !asked_.complaint().empty();
      }
    } catch (const troupe::canceled&) {
      throw;  // It was stopped.
    } catch (const troupe::system_error&) {
      // The peer has broken off.
    }
    self().stop();
  }

  // All that has come with one read is answered with one write.
  troupe::task<> answer_all() {
    for (;;) {
      switch (asked_.next()) {
        case requests::found::nothing:
          co_return;
        case requests::found::garbage:
          co_return out_.error(asked_.complaint());
        case requests::found::request:
          co_await answer(asked_.request());
      }
    }
  }

  troupe::io::stream peer_;
  requests asked_;
};

}  // namespace keyval
