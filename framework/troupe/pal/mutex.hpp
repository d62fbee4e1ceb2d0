#pragma once

#include <mutex>

#include <troupe/version.hpp>

namespace troupe::pal {

using mutex = std::mutex;
using lock = std::unique_lock<std::mutex>;

}  // namespace troupe::pal
