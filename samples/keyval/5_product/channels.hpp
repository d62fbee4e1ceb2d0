#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include <troupe/actor/actor.hpp>

namespace keyval {

/// What was published; all who hear of it share it.
struct news {
  std::string channel, text;
};
struct published {
  std::shared_ptr<const news> what;
};
using listening = troupe::ref<troupe::protocol<published>>;

/// `who` gets what is published in a channel, from the answer on at the latest; or no more.
struct subscribe {
  using reply = void;
  std::string channel;
  listening who;
};
struct unsubscribe {
  using reply = void;
  std::string channel;
  troupe::actor_id who;
};
/// Answer: how many get it.
struct publish {
  using reply = std::int64_t;
  std::shared_ptr<const news> what;
};

/// Who listens to which channel.
///
/// One whose mailbox is full is killed: the others, and who publishes, never wait for it.
class channels final : public troupe::actor {
public:
  void on(const subscribe& m);
  void on(const unsubscribe& m);
  std::int64_t on(const publish& m);
  void on(const troupe::down& ended);

private:
  using listeners = std::map<troupe::actor_id, listening>;

  std::map<std::string, listeners, std::less<>> listeners_;
  std::map<troupe::actor_id, int> channel_counts_;  // Of who is watched for its end.
};

}  // namespace keyval
