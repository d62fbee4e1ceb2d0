#include "commands.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "store.hpp"

namespace keyval {

namespace {

constexpr command commands[] = {
    {"append", 3, route::one_key, true, joined::as_is, &store::append},
    {"command", -1, route::here, false, joined::as_is, nullptr, own::command},
    {"config", -2, route::here, false, joined::as_is, nullptr, own::config},
    {"dbsize", 1, route::all_shards, false, joined::sum, &store::dbsize},
    {"decr", 2, route::one_key, true, joined::as_is, &store::decr},
    {"del", -2, route::each_key, true, joined::sum, &store::del},
    {"echo", 2, route::here, false, joined::as_is, nullptr, own::echo},
    {"exists", -2, route::each_key, false, joined::sum, &store::exists},
    {"expire", -3, route::one_key, true, joined::as_is, &store::expire},
    {"flushall", -1, route::all_shards, true, joined::ok, &store::flushall},
    {"get", 2, route::one_key, false, joined::as_is, &store::get},
    {"hello", -1, route::between, false, joined::as_is, nullptr, own::hello},
    {"hget", 3, route::one_key, false, joined::as_is, &store::hget},
    {"hset", -4, route::one_key, true, joined::as_is, &store::hset},
    {"incr", 2, route::one_key, true, joined::as_is, &store::incr},
    {"keys", 2, route::all_shards, false, joined::lists, &store::keys},
    {"lpop", -2, route::one_key, true, joined::as_is, &store::lpop},
    {"lpush", -3, route::one_key, true, joined::as_is, &store::lpush},
    {"lrange", 4, route::one_key, false, joined::as_is, &store::lrange},
    {"mget", -2, route::each_key, false, joined::list, &store::get_any},
    {"mset", -3, route::each_pair, true, joined::ok, &store::set_any},
    {"persist", 2, route::one_key, true, joined::as_is, &store::persist},
    {"pexpireat", -3, route::one_key, true, joined::as_is, &store::pexpireat},
    {"ping", -1, route::here, false, joined::as_is, nullptr, own::ping},
    {"publish", 3, route::between, false, joined::as_is, nullptr, own::publish},
    {"quit", -1, route::here, false, joined::as_is, nullptr, own::quit},
    {"rpop", -2, route::one_key, true, joined::as_is, &store::rpop},
    {"rpush", -3, route::one_key, true, joined::as_is, &store::rpush},
    {"sadd", -3, route::one_key, true, joined::as_is, &store::sadd},
    {"select", 2, route::here, false, joined::as_is, nullptr, own::select},
    {"set", -3, route::one_key, true, joined::as_is, &store::set},
    {"smembers", 2, route::one_key, false, joined::as_is, &store::smembers},
    {"strlen", 2, route::one_key, false, joined::as_is, &store::length},
    {"subscribe", -2, route::between, false, joined::as_is, nullptr, own::subscribe},
    {"ttl", 2, route::one_key, false, joined::as_is, &store::ttl},
    {"unsubscribe", -1, route::between, false, joined::as_is, nullptr, own::unsubscribe},
};

// A name of up to 16 letters as two numbers, in small letters: compared by two instructions.
struct packed {
  std::uint64_t first = 0, second = 0;
  friend bool operator==(const packed&, const packed&) = default;
};

constexpr packed pack(std::string_view name) noexcept {
  packed made;
  for (std::size_t i = 0; i < name.size(); ++i) {
    auto letter = static_cast<unsigned char>(name[i]);
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<unsigned char>(letter | 0x20U);
    std::uint64_t& into = i < 8 ? made.first : made.second;
    into = into << 8U | letter;
  }
  return made;
}

// Where a name may stand, tried from its own number on; twice as many places as names and more.
constexpr std::size_t places = 128;
constexpr std::size_t place_of(packed name) noexcept {
  return ((name.first ^ name.second) * 0x9e3779b97f4a7c15U) >> 57U;
}

struct index_entry {
  packed name;
  const command* what = nullptr;
};

constexpr auto make_index() {
  std::array<index_entry, places> index{};
  for (const command& each : commands) {
    packed name = pack(each.name);
    std::size_t at = place_of(name);
    while (index[at].what != nullptr) at = (at + 1) % places;
    index[at] = {name, &each};
  }
  return index;
}
constexpr std::array<index_entry, places> by_name = make_index();

}  // namespace

std::span<const command> all_commands() noexcept { return commands; }

const command* find_command(std::string_view name) noexcept {
  if (name.size() > 16) return nullptr;
  packed wanted = pack(name);
  std::size_t at = place_of(wanted);
  while (by_name[at].what != nullptr && by_name[at].name != wanted) at = (at + 1) % places;
  const command* found = by_name[at].what;
  // A zero byte in front would be packed to nothing.
  return found != nullptr && found->name.size() == name.size() ? found : nullptr;
}

bool is_word(std::string_view given, std::string_view small) noexcept {
  return std::equal(given.begin(), given.end(), small.begin(), small.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a | 0x20) : a) == b;
  });
}

// Only what stands before a zero byte is told, as Redis does.
void refuse_unknown(words asked, answers& out) {
  constexpr std::size_t most = 128;
  auto told = [](std::string_view word, std::size_t limit) {
    return std::string{word.substr(0, std::min(limit, word.find('\0')))};
  };
  std::string text =
      "ERR unknown command '" + told(asked[0], most) + "', with args beginning with: ";
  std::string arguments;
  for (std::size_t i = 1; i < asked.size() && arguments.size() < most; ++i) {
    arguments += "'" + told(asked[i], most - arguments.size()) + "' ";
  }
  out.error(text + arguments);
}

void refuse_count(std::string_view name, answers& out) {
  out.error("ERR wrong number of arguments for '" + std::string{name} + "' command");
}

}  // namespace keyval
