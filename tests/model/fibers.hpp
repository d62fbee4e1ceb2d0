#pragma once

// Relacy's fibers, by which its threads change places at every step, made faster. A thread that
// goes on with itself, as every second step says, does not leave its place; and the compiler's own
// jumps save what is needed, where the system's keep signal masks in mind and guard pointers.

#define switch_to_fiber switch_to_other_fiber
#if defined(__x86_64__) && defined(__clang__)
#include <csetjmp>

#undef _setjmp
#undef _longjmp
#define _setjmp(place) __builtin_setjmp(reinterpret_cast<void**>(place))
#define _longjmp(place, value) __builtin_longjmp(reinterpret_cast<void**>(place), value)
#include <relacy/platform.hpp>
#undef _setjmp
#undef _longjmp
#else
#include <relacy/platform.hpp>
#endif
#undef switch_to_fiber

inline void switch_to_fiber(fiber_t& next, fiber_t& before) {
  if (&next != &before) switch_to_other_fiber(next, before);
}
