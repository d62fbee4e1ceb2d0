#include "second_process.hpp"

#include <troupe/base/result.hpp>

namespace service {

namespace {

[[noreturn]] void refuse() {
  throw troupe::system_error{make_error_code(boost::system::errc::not_supported),
                             "no second process: the service was built with TROUPE_WITH_TLS=OFF"};
}

}  // namespace

troupe::task<std::shared_ptr<carrier>> start_second_process(std::uint16_t) { refuse(); }
troupe::task<int> run_second_process(std::uint16_t) { refuse(); }

}  // namespace service
