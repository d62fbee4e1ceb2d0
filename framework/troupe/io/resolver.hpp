#pragma once

#include <string>
#include <vector>

#include <troupe/base/result.hpp>
#include <troupe/io/endpoint.hpp>
#include <troupe/task/task.hpp>

namespace troupe::inline v0_1::io {

/// Why a name led to no address.
enum class name_errc {
  not_found = 1,    ///< Nobody has this name, or it has no address.
  try_again,        ///< Whoever would know it does not answer now.
  unknown_service,  ///< No service has this name.
  failed,           ///< It will not be found out.
};

/// The category of name_errc; its messages are one line each.
const boost::system::error_category& name_category() noexcept;

inline boost::system::error_code make_error_code(name_errc code) noexcept {
  return {static_cast<int>(code), name_category()};
}

/// What finds the addresses of a name: the system, or a simulation of one.
///
/// Threads: workers, any number of tasks at a time.
class resolver {
public:
  virtual ~resolver() = default;

  /// Looks up where `service`, a number or a name such as `http`, of `host` is reached.
  ///
  /// Returns: at least one endpoint, the best ones first.
  /// Errors:  system_error with name_errc or the code of the system.
  /// Cancel:  nothing is lost; work that cannot be interrupted goes on without the task.
  [[nodiscard]] virtual task<std::vector<endpoint>> resolve(std::string host,
                                                            std::string service) = 0;
};

}  // namespace troupe::inline v0_1::io

template <>
struct boost::system::is_error_code_enum<troupe::io::name_errc> : std::true_type {};
