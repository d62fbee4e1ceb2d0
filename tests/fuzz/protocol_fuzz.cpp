// Decodes: samples/service/protocol.cpp
// Each line is one request, and the answer to one that cannot be done is one line of text, whatever
// was in it; the number in a greeting is the one that was written there.

#include <algorithm>
#include <string>
#include <string_view>

#include "../../samples/service/protocol.hpp"

#include <fuzz/input.hpp>

namespace troupe::fuzz {

namespace {

using service::command;
using service::request;

bool is_text(std::string_view line) {
  return std::all_of(line.begin(), line.end(), [](char each) {
    auto code = static_cast<unsigned char>(each);
    return code == '\t' || (code >= 0x20 && code != 0x7f);
  });
}

void parse(std::string_view line) {
  request asked = service::parse(line);
  require((asked.what == command::garbage) == !is_text(line), "garbage is what is no text");
  switch (asked.what) {
    case command::echo:
      require(line == "echo" || line == "echo " + std::string{asked.text}, "the text is whole");
      return;
    case command::hello:
    case command::rtt:
    case command::stats:
    case command::quit:
      require(line == "hello" || line == "rtt" || line == "stats" || line == "quit",
              "a command is a word alone");
      return;
    case command::unknown:
      require(!line.starts_with("echo ") && line != "hello", "what is known is not refused");
      break;
    case command::garbage:
      break;
  }
  require(asked.text == line, "what is refused is the whole line");
  std::string answer = service::error_line(asked);
  require(answer.starts_with("error: ") && answer.size() < 160, "the answer is a short error");
  require(is_text(answer), "the answer is one line of text");
}

void greet(std::string_view line) {
  auto id = service::id_in_greeting(line);
  if (!id) return;
  std::string again = service::greeting(*id);
  require(service::id_in_greeting(again) == id, "a greeting reads as the number it was made of");
  std::string_view begin = "troupe service, connection ";
  require(line.starts_with(begin), "a greeting begins like one");
  line.remove_prefix(begin.size());
  std::size_t digits = line.find_first_not_of('0');
  std::string number = std::to_string(*id) + ":";
  bool is_same = *id == 0 ? line.starts_with('0') : line.substr(digits).starts_with(number);
  require(is_same, "the number is the one that stands there");
}

void answer_rtt(input& from) {
  troupe::duration time{from.four_bytes()};
  bool by_caf = from.byte() % 2 != 0;
  std::string line = service::rtt_line(time, by_caf);
  require(service::is_by_caf(line) == by_caf, "the answer says who gave it");
  require(line.starts_with("rtt ") && is_text(line), "the answer is a line");
}

}  // namespace

}  // namespace troupe::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace troupe::fuzz;
  input from{data, size};
  switch (from.byte() % 4) {
    case 0:
      greet(from.rest());
      break;
    case 1:
      greet("troupe service, connection " + from.rest());
      break;
    case 2:
      answer_rtt(from);
      break;
    default:
      parse(from.rest());
  }
  return 0;
}
