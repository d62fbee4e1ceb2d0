#pragma once

#include <condition_variable>

#include <troupe/pal/mutex.hpp>

namespace troupe::inline v0_1::pal {

using condition = std::condition_variable;

}  // namespace troupe::inline v0_1::pal
