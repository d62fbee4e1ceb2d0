#include <troupe/net/detail/connect_race.hpp>

#include <cerrno>
#include <new>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <troupe/net/detail/address.hpp>
#include <troupe/net/detail/owned_fd.hpp>

namespace troupe::inline v0_1::net::detail {

std::vector<io::endpoint> families_in_turn(const std::vector<io::endpoint>& all) {
  std::vector<io::endpoint> of_first, of_other, mixed;
  for (const auto& each : all) {
    (each.is_v6() == all.front().is_v6() ? of_first : of_other).push_back(each);
  }
  mixed.reserve(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i < of_first.size()) mixed.push_back(of_first[i]);
    if (i < of_other.size()) mixed.push_back(of_other[i]);
  }
  return mixed;
}

connect_race::connect_race(std::shared_ptr<reactor_core> core, std::vector<io::endpoint> targets,
                           bool no_delay, duration next_after)
    : core_{std::move(core)},
      targets_{std::move(targets)},
      next_after_{next_after},
      last_error_{make_error_code(boost::system::errc::address_not_available)},
      no_delay_{no_delay} {
  attempts_.reserve(targets_.size());  // poll() must not throw.
}

bool connect_race::poll() noexcept {
  if (outcome_) return true;
  look_at_attempts();
  while (!outcome_ && has_next() && (attempts_.empty() || now() >= next_at_)) begin_next();
  if (!outcome_ && attempts_.empty()) outcome_ = last_error_;
  if (outcome_) attempts_.clear();
  return outcome_.has_value();
}

void connect_race::look_at_attempts() noexcept {
  for (auto each = attempts_.begin(); each != attempts_.end();) {
    io::attempt<void> finished = each->socket->try_finish_connect();
    if (!finished) {
      ++each;
    } else if (finished->has_error()) {
      last_error_ = finished->error();
      each = attempts_.erase(each);
    } else if (each->socket->is_connected_to_itself()) {
      // With nobody listening, a connection to an ephemeral port may meet itself.
      last_error_ = make_error_code(boost::system::errc::connection_refused);
      each = attempts_.erase(each);
    } else {
      outcome_ = io::stream{std::move(each->owner)};
      return;
    }
  }
}

void connect_race::begin_next() noexcept {
  socket_address to = to_socket_address(targets_[next_++]);
  owned_fd socket{::socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (socket.get() < 0) {
    last_error_ = detail::last_error();
    return;
  }
  if (no_delay_) {
    int on = 1;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  // Before epoll knows the socket: an unconnected one would be reported as hung up.
  if (::connect(socket.get(), to.data(), to.size_bytes) != 0 && errno != EINPROGRESS) {
    last_error_ = detail::last_error();
    return;
  }
  try {
    auto& device = socket_stream::make(core_, socket.release());
    attempts_.push_back(attempt{&device, io::stream_device_ptr{&device}});
  } catch (const system_error& error) {
    last_error_ = error.code();
    return;
  } catch (const std::bad_alloc&) {
    last_error_ = make_error_code(boost::system::errc::not_enough_memory);
    return;
  }
  next_at_ = now() + next_after_;
  look_at_attempts();
}

bool connect_race::enlist(waker key) noexcept {
  for (auto& each : attempts_) {
    if (!each.socket->enlist_write(key)) return false;
  }
  if (has_next()) {
    alarm_.emplace(next_at_);
    alarm_->start();
    if (alarm_->poll() || !alarm_->enlist(key)) return false;
  }
  return count_.begin(true);
}

void connect_race::delist() noexcept {
  (void)count_.end();
  for (auto& each : attempts_) each.socket->delist_write();
  if (alarm_) alarm_->delist();
  alarm_.reset();
}

}  // namespace troupe::inline v0_1::net::detail
