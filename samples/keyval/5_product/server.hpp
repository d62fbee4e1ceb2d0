#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <actors/listener.hpp>
#include <troupe/io/listener.hpp>
#include <troupe/task/task.hpp>

#include "journal.hpp"
#include "session.hpp"

namespace keyval {

struct server_options {
  std::size_t shards = 1;
  std::size_t max_sessions = 10'000;
  std::size_t max_word_bytes = request_limits{}.max_word_bytes;
  std::unique_ptr<disk> journal_at;  ///< None: what was written is gone with the process.
  wall_clock clock;                  ///< None: that of the system.
};

/// A server that takes in peers until its listener is stopped.
struct server {
  troupe::ref<troupe::actors::listener> door;
  std::vector<troupe::ref<troupe::actors::any_actor>> parts;  ///< Without each it is of no use.
  std::string replayed;  ///< What was found in the journal, as a line; empty without one.
};

/// Waits until one of these has ended. Returns: which one, and why.
troupe::task<std::string> first_end(std::vector<troupe::ref<troupe::actors::any_actor>> of);

/// Brings back what the journal holds, and then takes in peers.
/// Errors: system_error when the journal cannot be read.
troupe::task<server> open_server(troupe::io::listener source, server_options wanted);

}  // namespace keyval
