#include <troupe/sim/detail/datagram_port.hpp>

#include <algorithm>
#include <cstring>

#include <troupe/io/datagram.hpp>

namespace troupe::inline v0_1::sim::detail {

namespace {

constexpr std::size_t max_received_bytes = 212'992;  // What Linux holds by default.
constexpr std::size_t max_in_pair = 64;

}  // namespace

datagram_port::datagram_port(std::shared_ptr<process> owner, bool shares) noexcept
    : owner_{std::move(owner)}, shares_{shares} {
  owner_->datagrams.push_back(*this);
}

std::shared_ptr<datagram_port> datagram_port::make(std::shared_ptr<process> owner, bool shares) {
  std::shared_ptr<datagram_port> made{new datagram_port{std::move(owner), shares},
                                      [](datagram_port* last) { delete last; }};
  made->self_ = made;
  return made;
}

result<std::shared_ptr<datagram_port>> datagram_port::make_at(std::shared_ptr<process> owner,
                                                              const io::endpoint& at, bool shares) {
  machine& here = owner->where();
  if (!here.has(at)) return make_error_code(boost::system::errc::address_not_available);
  result<io::endpoint> claimed = here.datagrams.claim(at, shares);
  if (claimed.has_error()) return claimed.error();
  std::shared_ptr<datagram_port> made = make(std::move(owner), shares);
  made->at_ = *claimed;
  here.datagrams.enter(*made);
  return made;
}

result<io::datagram_device_ptr> datagram_port::bind(std::shared_ptr<process> owner,
                                                    const io::endpoint& at, bool reuse_address) {
  auto made = make_at(std::move(owner), at, reuse_address);
  if (made.has_error()) return made.error();
  return io::datagram_device_ptr{made->get()};
}

result<io::datagram_device_ptr> datagram_port::connect(std::shared_ptr<process> owner,
                                                       const io::endpoint& to) {
  fabric& net = owner->net();
  machine& here = owner->where();
  if (net.reached(here, to) == nullptr) {
    return make_error_code(boost::system::errc::network_unreachable);
  }
  io::endpoint from = with_port(is_loopback(to) ? to : here.self.endpoint(), 0);
  auto made = make_at(std::move(owner), from, false);
  if (made.has_error()) return made.error();
  (*made)->peer_ = to;
  return io::datagram_device_ptr{made->get()};
}

std::pair<io::datagram_device_ptr, io::datagram_device_ptr> datagram_port::pair(
    std::shared_ptr<process> owner) {
  std::shared_ptr<datagram_port> first = make(owner, false);
  std::shared_ptr<datagram_port> second = make(std::move(owner), false);
  first->twin_ = second;
  second->twin_ = first;
  first->is_pair_ = second->is_pair_ = true;
  return {io::datagram_device_ptr{first.get()}, io::datagram_device_ptr{second.get()}};
}

io::attempt<io::datagram> datagram_port::try_receive(std::span<std::byte> into) noexcept {
  if (error_.failed()) return std::exchange(error_, boost::system::error_code{});
  if (received_.empty()) return std::nullopt;
  held first = std::move(received_.front());
  received_.pop_front();
  received_bytes_ -= first.bytes.size();
  if (std::shared_ptr<datagram_port> twin = twin_.lock()) twin->owner_->ring(twin->sender_);
  if (first.bytes.size() > into.size()) return make_error_code(errc::too_long);
  if (!first.bytes.empty()) std::memcpy(into.data(), first.bytes.data(), first.bytes.size());
  return io::datagram{first.bytes.size(), first.from};
}

io::attempt<void> datagram_port::try_send(std::span<const std::byte> from,
                                          const std::optional<io::endpoint>& to) noexcept {
  if (error_.failed()) return std::exchange(error_, boost::system::error_code{});
  if (from.size() > io::max_datagram_bytes) {
    return make_error_code(boost::system::errc::message_size);
  }
  std::string bytes(reinterpret_cast<const char*>(from.data()), from.size());
  if (is_pair_) {
    if (to) return make_error_code(boost::system::errc::already_connected);
    if (twin_.expired()) return make_error_code(boost::system::errc::connection_refused);
    if (twin_is_full()) return std::nullopt;
    send_to_twin(std::move(bytes));
    return result<void>{};
  }
  const std::optional<io::endpoint>& target = to ? to : peer_;
  if (!target) return make_error_code(boost::system::errc::destination_address_required);
  boost::system::error_code error = send_out(std::move(bytes), *target);
  if (error.failed()) return error;
  return result<void>{};
}

bool datagram_port::twin_is_full() const noexcept {
  std::shared_ptr<datagram_port> twin = twin_.lock();
  return twin != nullptr && twin->received_.size() + flying_ >= max_in_pair;
}

void datagram_port::send_to_twin(std::string bytes) {
  fabric& net = owner_->net();
  const machine& here = owner_->where();
  last_arrival_ = std::max(last_arrival_, net.arrival(here, here, bytes.size()));
  ++flying_;
  net.plan().at(last_arrival_, "net: datagram",
                [weak = std::weak_ptr{self_}, to = twin_, bytes = std::move(bytes)] {
                  std::shared_ptr<datagram_port> sender = weak.lock(), twin = to.lock();
                  if (sender != nullptr) --sender->flying_;
                  if (twin != nullptr) twin->take({io::endpoint{}, bytes});
                });
}

boost::system::error_code datagram_port::send_out(std::string bytes, const io::endpoint& to) {
  fabric& net = owner_->net();
  machine& here = owner_->where();
  machine* called = net.reached(here, to);
  if (called == nullptr) return make_error_code(boost::system::errc::network_unreachable);
  if (!owner_->is_alive() || here.is_down) return {};
  io::endpoint from = at_;
  if (is_any(at_)) from = with_port(is_loopback(to) ? to : here.self.endpoint(), at_.port());
  wire& over = net.between(here, *called);
  if (net.chance(over.loss)) return {};
  if (net.chance(over.duplication)) fly(*called, from, to, bytes);
  fly(*called, from, to, std::move(bytes));
  return {};
}

// Each has a delay of its own: one that is sent later may come earlier.
void datagram_port::fly(machine& called, const io::endpoint& from, const io::endpoint& to,
                        std::string bytes) {
  fabric& net = owner_->net();
  machine& here = owner_->where();
  auto land = [weak = std::weak_ptr{self_}, &net, &here, &called, from, to,
               bytes = std::move(bytes)] {
    if (!net.is_open(here, called)) return;
    datagram_port* found = called.datagrams.find(to);
    bool is_wanted = found != nullptr && (!found->peer_ || *found->peer_ == from);
    if (is_wanted) return found->take({from, bytes});
    std::shared_ptr<datagram_port> sender = weak.lock();
    if (sender != nullptr && sender->peer_ == to && net.is_open(called, here)) {
      sender->hear_refusal();
    }
  };
  net.plan().at(net.arrival(here, called, bytes.size()), "net: datagram", std::move(land));
}

void datagram_port::take(held come) noexcept {
  std::size_t size = come.bytes.size();
  if (!linked() || (!is_pair_ && received_bytes_ + size > max_received_bytes)) return;
  received_bytes_ += size;
  received_.push_back(std::move(come));
  owner_->ring(receiver_);
}

void datagram_port::hear_refusal() noexcept {
  error_ = make_error_code(boost::system::errc::connection_refused);
  owner_->ring(receiver_);
  owner_->ring(sender_);
}

bool datagram_port::enlist_receive(waker key) noexcept {
  if (!received_.empty() || error_.failed()) return false;
  receiver_ = key;
  return true;
}

bool datagram_port::enlist_send(waker key) noexcept {
  if (!is_pair_ || error_.failed() || !twin_is_full()) return false;
  sender_ = key;
  return true;
}

void datagram_port::end() noexcept {
  if (!linked()) return;
  intrusive_list<datagram_port>::erase(*this);
  owner_->where().datagrams.leave(*this);
}

void datagram_port::close() noexcept {
  end();
  if (std::shared_ptr<datagram_port> twin = twin_.lock()) twin->owner_->ring(twin->sender_);
  self_.reset();  // The last to use it frees it.
}

}  // namespace troupe::inline v0_1::sim::detail
