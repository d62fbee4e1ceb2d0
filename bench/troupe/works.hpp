#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>

namespace troupe::bench {

/// What one measurement is told.
struct settings {
  std::size_t workers = 2;
  std::size_t size = 0;  ///< 0: the work's own.
};

/// One repetition of a work. Returns: the figure, in the work's unit.
struct work {
  const char* unit;
  std::function<double(const settings&)> measure;
};

/// All works that yield a figure, by name.
const std::map<std::string, work>& works();

/// Servers and idle processes, which run until they are told to stop.
int serve_echo(const settings& given);
int stay_idle(const settings& given);

}  // namespace troupe::bench
