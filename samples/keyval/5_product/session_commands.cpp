// The commands that need no shard.

#include <string>
#include <utility>

#include <troupe/version.hpp>

#include "../2_parse/numbers.hpp"
#include "session.hpp"
#include "store.hpp"

namespace keyval {

void session::answer_here(const command& what, words asked, answers& out) {
  switch (what.what) {
    case own::ping:
      if (asked.size() > 2) return refuse_count("ping", out);
      if (!channels_.empty() && out.speaks == protocol::resp2) {
        out.list(2);
        out.bulk("pong");
        return out.bulk(asked.size() == 2 ? asked[1] : "");
      }
      return asked.size() == 2 ? out.bulk(asked[1]) : out.status("PONG");
    case own::echo:
      return out.bulk(asked[1]);
    case own::select: {
      std::optional<std::int64_t> number = number_of(asked[1]);
      if (!number) return out.error("ERR value is not an integer or out of range");
      return *number == 0 ? out.status("OK") : out.error("ERR DB index is out of range");
    }
    case own::quit:
      is_over_ = true;
      return out.status("OK");
    case own::command:
      return answer_command(asked, out);
    default:
      return answer_config(asked, out);
  }
}

void session::answer_command(words asked, answers& out) const {
  std::span<const command> all = all_commands();
  if (asked.size() > 1 && is_word(asked[1], "count")) {
    return out.number(static_cast<std::int64_t>(all.size()));
  }
  if (asked.size() > 1 && is_word(asked[1], "docs")) return out.map(0);
  if (asked.size() > 1) {
    return out.error("ERR unknown subcommand '" + std::string{asked[1].substr(0, 128)} +
                     "'. Try COMMAND HELP.");
  }
  out.list(all.size());
  for (const command& each : all) {
    bool has_key = each.goes == route::one_key || each.goes == route::each_key ||
                   each.goes == route::each_pair;
    out.list(6);
    out.bulk(each.name);
    out.number(each.arity);
    out.set(1);
    out.status(each.writes ? "write" : has_key ? "readonly" : "fast");
    out.number(has_key ? 1 : 0);
    out.number(each.goes == route::one_key ? 1 : has_key ? -1 : 0);
    out.number(each.goes == route::each_pair ? 2 : has_key ? 1 : 0);
  }
}

void session::answer_config(words asked, answers& out) const {
  if (!is_word(asked[1], "get")) {
    return out.error("ERR unknown subcommand '" + std::string{asked[1].substr(0, 128)} +
                     "'. Try CONFIG HELP.");
  }
  if (asked.size() < 3) return refuse_count("config|get", out);
  const std::pair<std::string_view, std::string> settings[] = {
      {"appendfsync", "always"},
      {"appendonly", at_->has_journal ? "yes" : "no"},
      {"databases", "1"},
      {"maxclients", std::to_string(at_->max_sessions)},
      {"proto-max-bulk-len", std::to_string(at_->limits.max_word_bytes)},
      {"save", ""},
  };
  std::vector<const std::pair<std::string_view, std::string>*> found;
  for (const auto& each : settings) {
    auto is_meant = [&](std::string_view pattern) { return matches(pattern, each.first); };
    if (std::any_of(asked.begin() + 2, asked.end(), is_meant)) found.push_back(&each);
  }
  out.map(found.size());
  for (const auto* each : found) {
    out.bulk(each->first);
    out.bulk(each->second);
  }
}

troupe::task<> session::answer_between(const command& what, words asked) {
  switch (what.what) {
    case own::hello:
      greet(asked);
      co_return;
    case own::subscribe:
      co_await listen(asked.subspan(1));
      co_return;
    case own::unsubscribe:
      co_await listen_no_more(asked.subspan(1));
      co_return;
    default:
      co_await tell(asked);
  }
}

void session::greet(words asked) {
  if (asked.size() > 1) {
    std::optional<std::int64_t> version = number_of(asked[1]);
    if (!version) return out_.error("ERR Protocol version is not an integer or out of range");
    if (*version != 2 && *version != 3) return out_.error("NOPROTO unsupported protocol version");
    if (asked.size() > 2) {
      return out_.error("ERR Syntax error in HELLO option '" + std::string{asked[2]} + "'");
    }
    out_.speaks = *version == 3 ? protocol::resp3 : protocol::resp2;
  }
  out_.map(7);
  out_.bulk("server");
  out_.bulk("keyval");
  out_.bulk("version");
  out_.bulk(troupe::version_string);
  out_.bulk("proto");
  out_.number(static_cast<int>(out_.speaks));
  out_.bulk("id");
  out_.number(static_cast<std::int64_t>(id_));
  out_.bulk("mode");
  out_.bulk("standalone");
  out_.bulk("role");
  out_.bulk("master");
  out_.bulk("modules");
  out_.list(0);
}

// ---- channels

troupe::task<> session::listen(words names) {
  for (std::string_view name : names) {
    bool is_new = channels_.emplace(name).second;
    // Before anything that is published there.
    tell_subscription("subscribe", name);
    if (!is_new) continue;
    subscribe m{std::string{name}, listening{self(this).address()}};
    co_await at_->hub.ask(troupe::take(m));
  }
}

troupe::task<> session::listen_no_more(words names) {
  std::vector<std::string> leaving{names.begin(), names.end()};
  if (names.empty()) leaving.assign(channels_.begin(), channels_.end());
  for (const std::string& name : leaving) {
    if (channels_.contains(name)) {
      unsubscribe m{name, self(this).address().id()};
      co_await at_->hub.ask(troupe::take(m));
      channels_.erase(name);
    }
    tell_subscription("unsubscribe", name);
  }
  if (!leaving.empty()) co_return;
  out_.push(3);
  out_.bulk("unsubscribe");
  out_.null();
  out_.number(0);
}

void session::tell_subscription(std::string_view kind, std::string_view channel) {
  out_.push(3);
  out_.bulk(kind);
  out_.bulk(channel);
  out_.number(static_cast<std::int64_t>(channels_.size()));
}

troupe::task<> session::tell(words asked) {
  auto made = std::make_shared<const news>(news{std::string{asked[1]}, std::string{asked[2]}});
  std::int64_t heard = co_await at_->hub.ask<publish>(std::move(made));
  out_.number(heard);
}

}  // namespace keyval
