#pragma once

#include <mutex>

namespace troupe::pal {

using mutex = std::mutex;
using lock = std::unique_lock<std::mutex>;

}  // namespace troupe::pal
