#pragma once

#include <span>
#include <string_view>

#include "scene.hpp"

namespace troupe::scenarios {

/// One kind of random program, and what it checks.
struct family {
  std::string_view name;
  void (*play)(scene& here);
};

/// All of them; a seed chooses one.
[[nodiscard]] std::span<const family> families() noexcept;

void play_bytes(scene& here);
void play_channels(scene& here);
void play_deadlines(scene& here);
void play_endings(scene& here);
void play_groups(scene& here);
void play_memory(scene& here);
void play_messages(scene& here);
void play_permits(scene& here);
void play_prompt(scene& here);
void play_requests(scene& here);
void play_rooms(scene& here);
void play_stops(scene& here);
void play_streams(scene& here);
void play_structure(scene& here);
void play_supervision(scene& here);
void play_timers(scene& here);
void play_values(scene& here);

}  // namespace troupe::scenarios
