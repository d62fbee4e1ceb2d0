#include "channels.hpp"

#include <utility>
#include <vector>

namespace keyval {

void channels::on(const subscribe& m) {
  bool is_new = listeners_[m.channel].emplace(m.who.id(), m.who).second;
  if (is_new && channel_counts_[m.who.id()]++ == 0) self(this).monitor(m.who);
}

void channels::on(const unsubscribe& m) {
  auto channel = listeners_.find(m.channel);
  if (channel == listeners_.end() || channel->second.erase(m.who) == 0) return;
  if (channel->second.empty()) listeners_.erase(channel);
  if (--channel_counts_[m.who] > 0) return;
  channel_counts_.erase(m.who);
  self(this).demonitor(m.who);
}

std::int64_t channels::on(const publish& m) {
  auto channel = listeners_.find(m.what->channel);
  if (channel == listeners_.end()) return 0;
  std::int64_t count = 0;
  for (const auto& [id, who] : channel->second) {
    if (who.try_send(published{m.what})) {
      ++count;
    } else {
      who.kill();
    }
  }
  return count;
}

void channels::on(const troupe::down& ended) {
  channel_counts_.erase(ended.who);
  for (auto at = listeners_.begin(); at != listeners_.end();) {
    at->second.erase(ended.who);
    at = at->second.empty() ? listeners_.erase(at) : std::next(at);
  }
}

}  // namespace keyval
