#include <troupe/sim/detail/network_driver.hpp>

#include <troupe/sim/detail/connection.hpp>
#include <troupe/sim/detail/datagram_port.hpp>
#include <troupe/sim/detail/listening.hpp>
#include <troupe/sim/detail/stream_end.hpp>

namespace troupe::inline v0_1::sim::detail {

// What outlives the runtime is of no use.
network_driver::~network_driver() { self_->die(death::closes); }

result<io::listener_device_ptr> network_driver::listen(const io::endpoint& at, int backlog_count) {
  return listening::at_port(self_, at, backlog_count);
}

result<io::connecting_device_ptr> network_driver::connect(const io::endpoint& to) {
  machine& here = self_->where();
  machine* called = self_->net().reached(here, to);
  if (called == nullptr) return make_error_code(boost::system::errc::network_unreachable);
  bool is_inside = is_loopback(to) || is_any(to);
  result<io::endpoint> from =
      here.listeners.claim(with_port(is_inside ? to : here.self.endpoint(), 0), false);
  if (from.has_error()) return from.error();
  auto made = connection::call(self_, *called, *from, to);
  return io::connecting_device_ptr{&stream_end::make(std::move(made), 0)};
}

result<io::listener_device_ptr> network_driver::listen_unix(const std::string& path,
                                                            int backlog_count,
                                                            bool replaces_stale) {
  return listening::at_path(self_, path, backlog_count, replaces_stale);
}

result<io::stream_device_ptr> network_driver::connect_unix(const std::string& path) {
  auto& files = self_->where().unix_files;
  auto found = files.find(path);
  bool is_abstract = path.starts_with('@');
  if (found == files.end()) {
    return make_error_code(is_abstract ? boost::system::errc::connection_refused
                                       : boost::system::errc::no_such_file_or_directory);
  }
  listening* open = found->second;
  if (open == nullptr) return make_error_code(boost::system::errc::connection_refused);
  if (!open->has_room()) {
    return make_error_code(boost::system::errc::resource_unavailable_try_again);
  }
  auto made = connection::join(self_, open->owner());
  made->at(0).peer_text = made->at(1).local_text = path;
  open->take_call(made);
  return io::stream_device_ptr{&stream_end::make(std::move(made), 0)};
}

std::pair<io::stream_device_ptr, io::stream_device_ptr> network_driver::stream_pair() {
  auto made = connection::join(self_, self_);
  return {io::stream_device_ptr{&stream_end::make(made, 0)},
          io::stream_device_ptr{&stream_end::make(made, 1)}};
}

result<io::datagram_device_ptr> network_driver::bind_datagrams(const io::endpoint& at,
                                                               bool reuse_address) {
  return datagram_port::bind(self_, at, reuse_address);
}

result<io::datagram_device_ptr> network_driver::connect_datagrams(const io::endpoint& to) {
  return datagram_port::connect(self_, to);
}

std::pair<io::datagram_device_ptr, io::datagram_device_ptr> network_driver::datagram_pair() {
  return datagram_port::pair(self_);
}

}  // namespace troupe::inline v0_1::sim::detail
