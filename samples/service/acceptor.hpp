#pragma once

#include <memory>

#include <troupe/io/listener.hpp>
#include <troupe/task/task.hpp>

#include "site.hpp"

namespace service {

/// Accepts connections and gives each a task of its own, until intake ends or it is stopped. Its
/// end leaves the connections alone. Beyond the limit a connection is told so and closed.
troupe::task<> accept_connections(troupe::io::listener listener, std::shared_ptr<site> at,
                                  colleagues with);

}  // namespace service
