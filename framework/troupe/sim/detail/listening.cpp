#include <troupe/sim/detail/listening.hpp>

#include <algorithm>
#include <utility>

#include <troupe/sim/detail/connection.hpp>
#include <troupe/sim/detail/stream_end.hpp>

namespace troupe::inline v0_1::sim::detail {

listening::listening(std::shared_ptr<process> owner, int backlog_count) noexcept
    : owner_{std::move(owner)}, backlog_{static_cast<std::size_t>(std::max(backlog_count, 1))} {
  owner_->listeners.push_back(*this);
}

result<io::listener_device_ptr> listening::at_port(std::shared_ptr<process> owner,
                                                   const io::endpoint& at, int backlog_count) {
  machine& here = owner->where();
  if (!here.has(at)) return make_error_code(boost::system::errc::address_not_available);
  result<io::endpoint> claimed = here.listeners.claim(at, false);
  if (claimed.has_error()) return claimed.error();
  auto* made = new listening{std::move(owner), backlog_count};
  made->at_ = *claimed;
  here.listeners.enter(*made);
  return io::listener_device_ptr{made};
}

result<io::listener_device_ptr> listening::at_path(std::shared_ptr<process> owner, std::string path,
                                                   int backlog_count, bool replaces_stale) {
  if (path.empty()) return make_error_code(boost::system::errc::invalid_argument);
  auto& files = owner->where().unix_files;
  auto found = files.find(path);
  if (found != files.end() && (found->second != nullptr || !replaces_stale)) {
    return make_error_code(boost::system::errc::address_in_use);
  }
  auto* made = new listening{std::move(owner), backlog_count};
  made->path_ = std::move(path);
  files[made->path_] = made;
  return io::listener_device_ptr{made};
}

io::attempt<io::stream_device_ptr> listening::try_accept() noexcept {
  if (!owner_->takes_in()) return make_error_code(errc::canceled);
  if (calls_.empty()) return std::nullopt;
  std::shared_ptr<connection> first = std::move(calls_.front());
  calls_.pop_front();
  return io::stream_device_ptr{&stream_end::make(std::move(first), 1)};
}

bool listening::enlist_accept(waker key) noexcept {
  if (!calls_.empty() || !owner_->takes_in()) return false;
  acceptor_ = key;
  return true;
}

void listening::take_call(std::shared_ptr<connection> come) {
  calls_.push_back(std::move(come));
  owner_->ring(acceptor_);
}

std::string listening::local_address() const { return path_.empty() ? at_.text() : path_; }

void listening::end(bool removed) {
  if (!linked()) return;
  intrusive_list<listening>::erase(*this);
  machine& here = owner_->where();
  if (path_.empty()) {
    here.listeners.leave(*this);
  } else {
    // An abstract name goes with its socket.
    bool stays = !removed && !path_.starts_with('@');
    auto at = here.unix_files.find(path_);
    if (stays) {
      at->second = nullptr;
    } else {
      here.unix_files.erase(at);
    }
  }
  while (!calls_.empty()) {
    std::shared_ptr<connection> first = std::move(calls_.front());
    calls_.pop_front();
    first->refuse();
  }
}

void listening::close() noexcept {
  end(true);
  delete this;
}

}  // namespace troupe::inline v0_1::sim::detail
