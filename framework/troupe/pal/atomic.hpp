#pragma once

#include <atomic>

#include <troupe/version.hpp>

namespace troupe::inline v0_1::pal {

/// The atomic of all lock-free code here: a model checker replaces this one name.
template <class T>
using atomic = std::atomic<T>;

}  // namespace troupe::inline v0_1::pal
