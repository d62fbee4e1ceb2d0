#pragma once

#include <atomic>

#include <troupe/version.hpp>

namespace troupe::pal {

/// The atomic of all lock-free code here: a model checker replaces this one name.
template <class T>
using atomic = std::atomic<T>;

}  // namespace troupe::pal
