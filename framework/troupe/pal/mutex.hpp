#pragma once

#include <mutex>

#include <troupe/version.hpp>

namespace troupe::inline v0_1::pal {

using mutex = std::mutex;
using lock = std::unique_lock<std::mutex>;

}  // namespace troupe::inline v0_1::pal
