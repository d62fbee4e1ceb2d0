#pragma once

#include <condition_variable>
#include <mutex>

namespace troupe::pal {

using mutex = std::mutex;
using lock = std::unique_lock<std::mutex>;
using condition = std::condition_variable;

}  // namespace troupe::pal
