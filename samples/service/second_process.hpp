#pragma once

#include <cstdint>
#include <memory>

#include <troupe/task/task.hpp>

#include "carrier.hpp"

namespace service {

/// Starts this program once more, with the transport in it, and links the two as nodes. The actor
/// that the coordinator asks stands for the one there.
/// Errors: system_error when there is no link, or the service was built without TLS, and with it
///         without nodes.
troupe::task<std::shared_ptr<carrier>> start_second_process(std::uint16_t peer_port);

/// The program of the second process, until it is asked to end.
troupe::task<int> run_second_process(std::uint16_t peer_port);

}  // namespace service
