// Decodes: samples/keyval/2_parse/requests.cpp samples/keyval/2_parse/numbers.hpp
// Requests are the same in all pieces, within their limits, and come back as they were written.

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "../../samples/keyval/2_parse/answers.hpp"
#include "../../samples/keyval/2_parse/numbers.hpp"
#include "../../samples/keyval/2_parse/requests.hpp"

#include <fuzz/input.hpp>
#include <fuzz/pieces.hpp>

namespace troupe::fuzz {

namespace {

using keyval::request_limits;
using keyval::requests;

struct reading {
  std::vector<std::vector<std::string>> all;
  std::string complaint;

  friend bool operator==(const reading&, const reading&) = default;
};

reading read(std::string_view bytes, cutter cuts, request_limits limits) {
  requests from{limits};
  reading seen;
  while (!bytes.empty() && seen.complaint.empty()) {
    std::span<char> room = from.room();
    require(room.size() >= 1 && room.size() <= std::size_t{256} * 1024, "there is some room");
    std::size_t count = cuts.next(std::min(room.size(), bytes.size()));
    std::memcpy(room.data(), bytes.data(), count);
    from.took(count);
    bytes.remove_prefix(count);
    requests::found found{};
    while ((found = from.next()) == requests::found::request) {
      require(!from.request().empty(), "a request has a first word");
      // A line by hand has as many as it has room for.
      require(from.request().size() <= std::max(limits.max_words, limits.max_line_bytes),
              "there are no more words than may be");
      seen.all.emplace_back(from.request().begin(), from.request().end());
    }
    if (found == requests::found::garbage) seen.complaint = from.complaint();
  }
  if (!seen.complaint.empty()) {
    require(from.next() == requests::found::garbage, "garbage stays garbage");
    require(seen.complaint.starts_with("ERR Protocol error: "), "what is wrong is said");
  }
  return seen;
}

std::string written(const reading& of) {
  keyval::answers out;
  for (const auto& each : of.all) {
    out.list(each.size());
    for (const auto& word : each) out.bulk(word);
  }
  return out.bytes;
}

void read_number(std::string_view text) {
  std::optional<std::int64_t> found = keyval::number_of(text);
  if (found) require(std::to_string(*found) == text, "a number is written in one way only");
}

}  // namespace

}  // namespace troupe::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace troupe::fuzz;
  input from{data, size};
  unsigned mode = from.byte();
  std::uint32_t seed = from.four_bytes();
  request_limits limits;
  if ((mode & 1U) != 0) limits = {64, 16, 100};
  std::string bytes = from.rest();
  if ((mode & 2U) != 0) read_number(bytes);
  reading at_once = read(bytes, cutter{0}, limits);
  require(read(bytes, cutter{seed}, limits) == at_once, "the same in all pieces");
  at_once.complaint.clear();
  require(read(written(at_once), cutter{seed}, {}) == at_once, "what is written is read");
  return 0;
}
