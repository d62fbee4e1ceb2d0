#pragma once

#include <cstddef>
#include <cstdint>

#include <troupe/version.hpp>

namespace troupe::inline v0_1::detail {

/// One number that a debugger needs: an offset, a mask, a size.
struct debug_fact {
  char name[24];
  std::uint64_t value;
};

/// Where the cells of one kind are and what lies in one, for a debugger that knows no types: it
/// finds this by its symbol, `troupe_debug_...`, in optimised builds without debug information too.
/// tools/gdb/troupe-gdb.py reads it; the two are of one format.
template <std::size_t Count>
struct debug_facts {
  std::uint64_t format;
  std::uint64_t count;
  const void* slab;  ///< Where a pointer to the slab is; that is null until there is one.
  debug_fact facts[Count];
};

inline constexpr std::uint64_t debug_format = 1;

/// Reads what is private to Cell and what it is made of; specialised beside the cell's functions.
template <class Cell>
struct debug_access;

}  // namespace troupe::inline v0_1::detail
