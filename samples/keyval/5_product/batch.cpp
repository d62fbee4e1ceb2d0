#include "batch.hpp"

#include <array>
#include <charconv>
#include <string>
#include <utility>

#include "../4_shards/expiries.hpp"

namespace keyval {

namespace {

// Returns: the number in the line that an answer begins with, and how long that line is.
std::pair<std::int64_t, std::size_t> first_line(std::string_view answer) {
  std::size_t end = answer.find('\r');
  std::int64_t value = 0;
  std::from_chars(answer.data() + 1, answer.data() + end, value);
  return {value, end + 2};
}

}  // namespace

batch::batch(std::size_t shards) : taken_(shards) {
  for (std::size_t i = 0; i < shards; ++i) parts_.push_back(std::make_unique<part>());
}

void batch::add(const command& what, words asked, const std::shared_ptr<char[]>& bytes) {
  std::size_t first = order_.size();
  switch (what.goes) {
    case route::one_key:
      add_call(shard_of(asked[1], parts_.size()), what, asked, bytes);
      break;
    case route::each_key:
      for (std::string_view key : asked.subspan(1)) {
        std::array<std::string_view, 2> call{asked[0], key};
        add_call(shard_of(key, parts_.size()), what, call, bytes);
      }
      break;
    case route::each_pair:
      for (std::size_t i = 1; i < asked.size(); i += 2) {
        std::array<std::string_view, 3> call{asked[0], asked[i], asked[i + 1]};
        add_call(shard_of(asked[i], parts_.size()), what, call, bytes);
      }
      break;
    default:
      for (std::size_t i = 0; i < parts_.size(); ++i) add_call(i, what, asked, bytes);
  }
  if (what.how != joined::as_is) is_one_to_one_ = false;
  slots_.push_back({what.how, false, static_cast<std::uint32_t>(order_.size() - first)});
}

void batch::add_call(std::size_t shard, const command& what, words asked,
                     const std::shared_ptr<char[]>& bytes) {
  part& to = *parts_[shard];
  if (to.bytes != bytes) to.bytes = bytes;
  to.add(what, asked);
  if (!order_.empty() && order_.back() != shard) is_one_to_one_ = false;
  order_.push_back(static_cast<std::uint16_t>(shard));
}

answers& batch::add_known(protocol speaks) {
  is_one_to_one_ = false;
  known_begins_.push_back(known_.bytes.size());
  slots_.push_back({joined::as_is, true, 0});
  known_.speaks = speaks;
  return known_;
}

void batch::take_answers(answers& out) {
  if (is_one_to_one_ && !order_.empty() && out.bytes.empty()) {
    out.bytes.swap(parts_[order_.front()]->out.bytes);
    return clear();
  }
  for (const slot& each : slots_) join(each, out);
  clear();
}

std::string_view batch::next_answer() {
  std::size_t shard = order_[order_taken_++];
  const part& from = *parts_[shard];
  std::size_t place = taken_[shard]++;
  std::size_t begin = place == 0 ? 0 : from.ends[place - 1];
  return std::string_view{from.out.bytes}.substr(begin, from.ends[place] - begin);
}

std::string_view batch::next_known() {
  std::size_t place = known_taken_++;
  std::size_t begin = known_begins_[place];
  bool is_last = known_taken_ == known_begins_.size();
  std::size_t end = is_last ? known_.bytes.size() : known_begins_[known_taken_];
  return std::string_view{known_.bytes}.substr(begin, end - begin);
}

void batch::join(const slot& of, answers& out) {
  if (of.is_known) {
    out.bytes += next_known();
    return;
  }
  switch (of.how) {
    case joined::as_is:
      out.bytes += next_answer();
      break;
    case joined::list:
      out.list(of.calls);
      for (std::uint32_t i = 0; i < of.calls; ++i) out.bytes += next_answer();
      break;
    case joined::sum: {
      std::int64_t sum = 0;
      for (std::uint32_t i = 0; i < of.calls; ++i) sum += first_line(next_answer()).first;
      out.number(sum);
      break;
    }
    case joined::ok:
      for (std::uint32_t i = 0; i < of.calls; ++i) (void)next_answer();
      out.status("OK");
      break;
    case joined::lists:
      join_lists(of.calls, out);
  }
}

void batch::join_lists(std::size_t count, answers& out) {
  std::int64_t size = 0;
  std::string all;
  for (std::size_t i = 0; i < count; ++i) {
    std::string_view answer = next_answer();
    auto [more, begin] = first_line(answer);
    size += more;
    all += answer.substr(begin);
  }
  out.list(static_cast<std::size_t>(size));
  out.bytes += all;
}

void batch::clear() {
  for (part_ptr& each : parts_) each->clear();
  taken_.assign(parts_.size(), 0);
  slots_.clear();
  order_.clear();
  order_taken_ = 0;
  known_.bytes.clear();
  known_begins_.clear();
  known_taken_ = 0;
  is_one_to_one_ = true;
}

}  // namespace keyval
