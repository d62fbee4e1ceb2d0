#include "gate.hpp"

#include <troupe/base/result.hpp>

namespace service {

gate make_tls_gate(const options&) {
  throw troupe::system_error{make_error_code(boost::system::errc::not_supported),
                             "no TLS port: the service was built with TROUPE_WITH_TLS=OFF"};
}

}  // namespace service
