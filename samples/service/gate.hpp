#pragma once

#include <functional>

#include <troupe/io/stream.hpp>
#include <troupe/task/task.hpp>

#include "options.hpp"

namespace service {

/// What a stream has to go through before its lines are read: a TLS handshake, or nothing (empty).
/// Errors: system_error when the peer is refused, whose text says why.
using gate = std::function<troupe::task<troupe::io::stream>(troupe::io::stream)>;

/// Makes the gate of the TLS port. Errors: system_error when a file cannot be used, or the service
/// was built without TLS.
gate make_tls_gate(const options& wanted);

}  // namespace service
