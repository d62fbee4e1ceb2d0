#include "ask_book.hpp"

#include <troupe/actor/errors.hpp>

namespace troupe::scenarios {

std::size_t ask_book::open(promise given) {
  entries_.push_back({.given = given, .began_at = scene_.now()});
  return entries_.size() - 1;
}

void ask_book::begin(std::size_t number) {
  entry& mine = entries_[number];
  scene_.check(!mine.has_begun, "request {} is run twice", number);
  scene_.check(!mine.has_ended, "request {} is run after it has ended", number);
  mine.has_begun = true;
}

ask_book::entry& ask_book::end(std::size_t number) {
  entry& mine = entries_[number];
  scene_.check(!mine.has_ended, "request {} ends twice", number);
  mine.has_ended = true;
  if (!mine.given.limit || !scene_.turns_take_no_time()) return mine;
  duration took = scene_.now() - mine.began_at;
  scene_.check(took <= *mine.given.limit + mine.given.lateness, "request {} took {} ns of {}",
               number, took.count(), mine.given.limit->count());
  return mine;
}

void ask_book::answered(std::size_t number, std::int64_t answer) {
  entry& mine = end(number);
  scene_.check(mine.has_begun, "request {} is answered, and was not run", number);
  scene_.check(answer == right_answer(number), "request {} is answered with {}", number, answer);
}

void ask_book::failed(std::size_t number, boost::system::error_code code) {
  entry& mine = end(number);
  scene_.check(code.category() == ask_category(), "request {} fails with {}", number,
               code.message());
  scene_.check(may_have_run(code) || !mine.has_begun,
               "request {} was run, and its error says that it was not: {}", number,
               code.message());
  bool is_by_time = code == ask_errc::timeout || code == ask_errc::expired ||
                    (code == ask_errc::mailbox_full && !mine.given.may_be_full);
  scene_.check(!is_by_time || mine.given.limit, "request {} without a limit fails by time: {}",
               number, code.message());
  duration limit = mine.given.limit.value_or(duration::zero());
  scene_.check(!is_by_time || scene_.now() - mine.began_at >= limit,
               "request {} fails too early, after {} ns of {}: {}", number,
               (scene_.now() - mine.began_at).count(), limit.count(), code.message());
  bool is_of_caller = code == ask_errc::canceled || code == ask_errc::canceled_unrun;
  scene_.check(!is_of_caller, "request {} fails with {}", number, code.message());
}

void ask_book::left(std::size_t number) { entries_[number].has_ended = true; }

}  // namespace troupe::scenarios
