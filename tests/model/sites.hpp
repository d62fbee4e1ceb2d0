#pragma once

#include <atomic>
#include <compare>
#include <cstdint>
#include <source_location>
#include <string>
#include <string_view>

#include <model/relacy.hpp>

namespace troupe::model {

/// What an atomic operation does; decides which orders are weaker than the one it asks for.
enum class access : std::uint8_t { load, store, exchange };

/// A place in the source that asks for an order: of a CAS with two orders each is one.
struct site {
  std::string_view file;  ///< From "troupe/" on.
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  bool on_failure = false;  ///< The second order of a CAS.

  auto operator<=>(const site&) const = default;
};

inline std::string_view file_of(const std::source_location& where) {
  std::string_view file = where.file_name();
  std::size_t at = file.rfind("/troupe/");
  return at == std::string_view::npos ? file : file.substr(at + 1);
}

/// The sites of this program: which were reached with what order, and which one is weakened.
struct site_table {
  struct asked {
    std::memory_order order;
    access how;
  };

  bool listing = false;
  bool weakening = false;
  // Not of Relacy's heap, which must be empty at the end of each schedule.
  rl::map<site, asked>::type reached;  ///< Filled while `listing`.
  std::string weakened_file;
  site weakened;
  std::memory_order weaker = std::memory_order_relaxed;
};

inline site_table sites;

constexpr rl::memory_order to_relacy(std::memory_order order) {
  switch (order) {
    case std::memory_order_relaxed:
      return rl::mo_relaxed;
    case std::memory_order_consume:
      return rl::mo_consume;
    case std::memory_order_acquire:
      return rl::mo_acquire;
    case std::memory_order_release:
      return rl::mo_release;
    case std::memory_order_acq_rel:
      return rl::mo_acq_rel;
    case std::memory_order_seq_cst:
      return rl::mo_seq_cst;
  }
  return rl::mo_seq_cst;
}

// Out of line: it is for few runs, and called by every operation.
[[gnu::noinline]] inline std::memory_order look_up(std::memory_order order, access how,
                                                   const std::source_location& where,
                                                   bool on_failure) {
  site here{file_of(where), where.line(), where.column(), on_failure};
  if (sites.weakening && here == sites.weakened) return sites.weaker;
  if (sites.listing) sites.reached.try_emplace(here, order, how);
  return order;
}

/// Returns: the order that `where` gets; the one it asks for, unless it is the weakened site.
inline std::memory_order order_at(std::memory_order order, access how,
                                  const std::source_location& where, bool on_failure = false) {
  if (order == std::memory_order_relaxed || !(sites.listing || sites.weakening)) return order;
  return look_up(order, how, where, on_failure);
}

inline rl::debug_info info_of(const std::source_location& where) {
  return {where.function_name(), where.file_name(), where.line()};
}

}  // namespace troupe::model
