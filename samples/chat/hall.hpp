#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <actors/topic.hpp>
#include <troupe/actor/actor.hpp>

namespace chat {

/// One line for all in a room; they share the text.
struct said {
  std::shared_ptr<const std::string> line;
};
inline said say(std::string line) { return {std::make_shared<const std::string>(std::move(line))}; }

using room = troupe::actors::topic<said>;

/// A guest has come. Answer: a name to begin with.
struct arrive {
  using reply = std::string;
  troupe::ref<troupe::protocol<>> who;
};
/// A guest wants another name. Answer: false when it is another's.
struct rename {
  using reply = bool;
  troupe::actor_id who;
  std::string name;
};
/// A guest goes into a room, and out of the one where it is. Answer: the room.
struct enter {
  using reply = troupe::ref<room>;
  troupe::actor_id who;
  std::string room_name;
};
/// Who is in the room of that guest? Answer: their names, in order.
struct look_around {
  using reply = std::vector<std::string>;
  troupe::actor_id who;
};
struct hall_totals {
  std::size_t guests = 0, rooms = 0, too_slow = 0;  ///< Of all time.
};
struct count_totals {
  using reply = hall_totals;
};

/// Knows who is in which room, under which name. A room is there while somebody is in it.
class hall final : public troupe::actor {
public:
  std::string on(const arrive& m);
  bool on(const rename& m);
  troupe::ref<room> on(const enter& m);
  std::vector<std::string> on(look_around m) const;
  hall_totals on(count_totals) const { return totals_; }
  /// A guest has ended: the others in its room are told.
  troupe::task<> on(const troupe::down& ended);

private:
  struct guest_entry {
    std::string name;
    std::string room_name;
  };
  struct room_entry {
    troupe::ref<room> at;
    std::size_t guests = 0;
  };

  void leave(const std::string& room_name);

  std::map<troupe::actor_id, guest_entry> guests_;
  std::map<std::string, room_entry> rooms_;
  hall_totals totals_;
};

}  // namespace chat
