#pragma once

#include <string>
#include <vector>

#include <troupe/io/resolver.hpp>
#include <troupe/sim/detail/fabric.hpp>

namespace troupe::inline v0_1::sim::detail {

/// Knows the hosts of a simulated network by their names, and the services that programs ask for
/// most.
class name_server final : public io::resolver {
public:
  explicit name_server(fabric& net) noexcept : net_{net} {}

  task<std::vector<io::endpoint>> resolve(std::string host, std::string service) override;

private:
  [[nodiscard]] result<io::endpoint> look_up(const std::string& host,
                                             const std::string& service) const noexcept;

  fabric& net_;
};

}  // namespace troupe::inline v0_1::sim::detail
