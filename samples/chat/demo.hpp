#pragma once

#include <troupe/task/task.hpp>

namespace chat {

/// Opens a hall, has a few scripted guests talk in it over TCP, and prints what they type and hear.
/// Returns: 0 when each heard what the script says.
troupe::task<int> run_demo();

}  // namespace chat
