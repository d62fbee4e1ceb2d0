#include "gate.hpp"

#include <algorithm>
#include <utility>

#include <troupe/tls/tls.hpp>

namespace service {

gate make_tls_gate(const options& wanted) {
  troupe::tls::server_config config;
  config.self.certificate_chain = troupe::tls::pem::file(wanted.tls_certificate);
  config.self.private_key = troupe::tls::pem::file(wanted.tls_key);
  troupe::tls::accept_options how;
  how.handshake_limit = std::min(wanted.idle, how.handshake_limit);
  return [with = troupe::tls::context{config}, how](troupe::io::stream peer) {
    return troupe::tls::accept(std::move(peer), with, how);
  };
}

}  // namespace service
