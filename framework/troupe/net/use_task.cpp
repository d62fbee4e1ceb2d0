#include <troupe/net/use_task.hpp>

#include <troupe/net/detail/reactor_core.hpp>
#include <troupe/net/reactor.hpp>

namespace troupe::inline v0_1::net {

boost::asio::io_context& io_context_of_current() { return reactor::current().core()->context(); }

}  // namespace troupe::inline v0_1::net
