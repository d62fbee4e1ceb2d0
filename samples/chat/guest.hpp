#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <actors/connection.hpp>
#include <actors/listener.hpp>

#include "hall.hpp"

namespace chat {

/// One peer, who types lines: commands, and what is said to the room.
///
/// What others say comes from its room and is written to the peer. One that does not read fills the
/// frames that wait to go out, then the mailbox; the room then kills its guest, so that the others
/// need not wait for it.
class guest final : public troupe::actors::connection {
public:
  guest(troupe::io::stream peer, troupe::ref<hall> of);

  troupe::task<> on_start();
  troupe::task<> on(said m);

private:
  troupe::task<> on_frame(std::string line) override;
  troupe::task<> tell(std::string line);
  troupe::task<> speak(std::string line);
  troupe::task<> join(std::string room_name);
  troupe::task<> take_name(std::string name);
  troupe::task<> list();

  troupe::ref<hall> hall_;
  std::optional<troupe::ref<room>> room_;
  std::string name_;
  bool has_quit_ = false;
};

/// Opens a hall at a port, and lets guests in. Returns: who accepts them.
troupe::ref<troupe::actors::listener> open(troupe::io::listener source,
                                           const troupe::ref<hall>& of);

}  // namespace chat
