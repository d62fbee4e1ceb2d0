#pragma once

#include <string_view>

#include "../2_parse/answers.hpp"
#include "../2_parse/requests.hpp"

namespace keyval {

class store;

/// Who does a command.
enum class route : unsigned char {
  here,       ///< The session, at once.
  between,    ///< The session, when all before it is done: it waits for others, or changes how.
  one_key,    ///< The shard of the first argument.
  each_key,   ///< The shards of all arguments, each its own.
  each_pair,  ///< The same, for pairs of key and value.
  all_shards,
};

/// How the answers of several shards, or of one for several keys, become one.
enum class joined : unsigned char { as_is, list, sum, ok, lists };

/// What the session does itself.
enum class own : unsigned char {
  none,
  ping,
  echo,
  select,
  quit,
  command,
  config,
  hello,
  subscribe,
  unsubscribe,
  publish,
};

struct command {
  std::string_view name;
  int arity;  ///< With the name; -2: 2 or more.
  route goes;
  bool writes = false;
  joined how = joined::as_is;
  void (store::*run)(words asked, answers& out) = nullptr;
  own what = own::none;

  [[nodiscard]] bool takes(std::size_t count) const noexcept {
    auto given = static_cast<int>(count);
    return arity >= 0 ? given == arity : given >= -arity;
  }
};

/// All of them, by name.
[[nodiscard]] std::span<const command> all_commands() noexcept;
/// Returns: the command of that name, however it is spelled; null when there is none.
[[nodiscard]] const command* find_command(std::string_view name) noexcept;

/// Returns: whether these are the same but for small and capital letters; `small` has none of the
/// latter.
[[nodiscard]] bool is_word(std::string_view given, std::string_view small) noexcept;

/// The errors of Redis for what is no command, and for one with too many or too few arguments.
void refuse_unknown(words asked, answers& out);
void refuse_count(std::string_view name, answers& out);

}  // namespace keyval
