#pragma once

#include <condition_variable>

#include <troupe/pal/mutex.hpp>

namespace troupe::pal {

using condition = std::condition_variable_any;

}  // namespace troupe::pal
