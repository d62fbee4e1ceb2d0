#include <troupe/tls/context.hpp>

#include <troupe/tls/detail/context_core.hpp>

namespace troupe::inline v0_1::tls {

context::context(const client_config& config)
    : core_{std::make_shared<detail::context_core>(config)} {}

context::context(const server_config& config)
    : core_{std::make_shared<detail::context_core>(config)} {}

}  // namespace troupe::inline v0_1::tls
