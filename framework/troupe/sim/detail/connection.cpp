#include <troupe/sim/detail/connection.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include <troupe/sim/detail/listening.hpp>

namespace troupe::inline v0_1::sim::detail {

using namespace std::chrono_literals;

namespace {

constexpr duration first_redial = 1s;  // When a queue of calls is full, then twice as long.
constexpr std::size_t max_redials = 6;
constexpr std::size_t header_bytes = 40;  // Of each packet; what a slow wire takes its time for.

constexpr std::string_view name_of(packet::kind what) noexcept {
  switch (what) {
    case packet::kind::call:
      return "net: call";
    case packet::kind::answer:
      return "net: answer";
    case packet::kind::bytes:
      return "net: bytes";
    case packet::kind::end:
      return "net: end";
    case packet::kind::reset:
      return "net: reset";
    case packet::kind::room:
      return "net: room";
  }
  return "net";
}

packet plain(packet::kind what) {
  packet made;
  made.what = what;
  return made;
}

boost::system::error_code code(boost::system::errc::errc_t value) { return make_error_code(value); }

}  // namespace

connection::connection(fabric& net) : net_{net}, number_{++net.connection_count} {
  net_.connections.push_back(*this);
}

connection::~connection() { intrusive_list<connection>::erase(*this); }

std::shared_ptr<connection> connection::call(std::shared_ptr<process> caller, machine& called,
                                             const io::endpoint& from, const io::endpoint& to) {
  auto made = std::make_shared<connection>(caller->net());
  made->called_at_ = to;
  end& near = made->ends_[0];
  near.at = &caller->where();
  near.owner = std::move(caller);
  near.local_text = from.text();
  near.peer_text = to.text();
  end& far = made->ends_[1];
  far.at = &called;
  far.local_text = to.text();
  far.peer_text = from.text();
  made->note("calls");
  made->send(0, plain(packet::kind::call));
  return made;
}

std::shared_ptr<connection> connection::join(std::shared_ptr<process> caller,
                                             std::shared_ptr<process> called) {
  auto made = std::make_shared<connection>(caller->net());
  std::array owners{std::move(caller), std::move(called)};
  for (std::size_t side = 0; side < owners.size(); ++side) {
    end& each = made->ends_[side];
    each.at = &owners[side]->where();
    each.owner = std::move(owners[side]);
    each.stands = phase::open;
  }
  made->note("is joined");
  return made;
}

bool connection::stands() const noexcept {
  return std::all_of(ends_.begin(), ends_.end(),
                     [](const end& each) { return each.stands == phase::open && !each.is_broken; });
}

boost::system::error_code connection::take_error(end& of) noexcept {
  return std::exchange(of.error, boost::system::error_code{});
}

std::size_t connection::room(const end& of) const noexcept {
  return net_.buffer_bytes - std::min(net_.buffer_bytes, of.unconfirmed_bytes);
}

io::attempt<std::size_t> connection::read(std::size_t side, std::span<std::byte> into) {
  end& here = ends_[side];
  std::size_t waiting = here.received.size() - here.taken_bytes;
  if (waiting == 0) {
    if (here.error.failed() && here.stands != phase::calling) return take_error(here);
    if (here.is_broken || here.has_heard_end) return std::size_t{0};
    return std::nullopt;
  }
  std::size_t count = std::min(waiting, into.size());
  std::memcpy(into.data(), here.received.data() + here.taken_bytes, count);
  here.taken_bytes += count;
  if (here.taken_bytes == here.received.size()) {
    here.received.clear();
    here.taken_bytes = 0;
  } else if (here.taken_bytes > net_.buffer_bytes) {
    here.received.erase(0, std::exchange(here.taken_bytes, 0));
  }
  here.freed_bytes += count;
  tell_room(side);
  return count;
}

// While the sender has more than half of its room, it need not know.
void connection::tell_room(std::size_t side) {
  end& here = ends_[side];
  bool is_worth_it = ends_[1 - side].unconfirmed_bytes > net_.buffer_bytes / 2;
  if (here.room_is_told || here.freed_bytes == 0 || here.is_broken || !is_worth_it) return;
  here.room_is_told = true;
  packet told = plain(packet::kind::room);
  told.count = std::exchange(here.freed_bytes, 0);
  send(side, std::move(told));
}

io::attempt<std::size_t> connection::write(std::size_t side, std::span<const std::byte> from) {
  end& here = ends_[side];
  if (here.stands == phase::calling && !here.is_broken) return std::nullopt;
  if (here.error.failed()) return take_error(here);
  if (here.is_broken || here.has_said_end) return code(boost::system::errc::broken_pipe);
  std::size_t count = std::min(from.size(), room(here));
  if (count == 0) return std::nullopt;
  // Now and then less than there is room for, as when a kernel is short of memory.
  if (count > 1 && net_.plan().random().below(16) == 0) {
    count = 1 + net_.plan().random().below(count - 1);
  }
  send_bytes(side, from.first(count));
  return count;
}

// Where a packet ends means nothing: what is written at once may come in two parts.
void connection::send_bytes(std::size_t side, std::span<const std::byte> from) {
  ends_[side].unconfirmed_bytes += from.size();
  std::size_t first = from.size();
  if (first > 1 && net_.plan().random().below(4) == 0) {
    first = 1 + net_.plan().random().below(first - 1);
  }
  for (std::span part : {from.first(first), from.subspan(first)}) {
    if (part.empty()) continue;
    packet sent;
    sent.bytes.assign(reinterpret_cast<const char*>(part.data()), part.size());
    send(side, std::move(sent));
  }
}

io::attempt<void> connection::shut_down(std::size_t side) {
  end& here = ends_[side];
  if (here.stands == phase::calling || here.is_broken) {
    if (here.error.failed()) return take_error(here);
    return code(boost::system::errc::not_connected);
  }
  if (!std::exchange(here.has_said_end, true)) send(side, plain(packet::kind::end));
  return result<void>{};
}

io::attempt<void> connection::finish_call(std::size_t side) {
  end& here = ends_[side];
  if (here.error.failed()) return take_error(here);
  if (here.stands == phase::calling) return std::nullopt;
  return result<void>{};
}

bool connection::enlist_read(std::size_t side, waker key) noexcept {
  end& here = ends_[side];
  if (!here.received.empty() || here.has_heard_end || here.is_broken) return false;
  here.reader = key;
  return true;
}

bool connection::enlist_write(std::size_t side, waker key) noexcept {
  end& here = ends_[side];
  bool is_worth_it =
      here.is_broken || here.has_said_end || (here.stands == phase::open && room(here) != 0);
  if (is_worth_it) return false;
  here.writer = key;
  return true;
}

void connection::close(std::size_t side) {
  end& here = ends_[side];
  phase was = std::exchange(here.stands, phase::closed);
  if (was == phase::closed) return;
  here.reader = here.writer = waker{};
  bool has_unread = !here.received.empty();
  here.received.clear();
  if (net_.has_ended() || here.is_broken) return;
  if (was == phase::calling) {
    here.on_their_way.clear();
  } else if (has_unread) {
    // It may overtake what was written before.
    if (net_.chance(0.5)) here.on_their_way.clear();
    send(side, plain(packet::kind::reset));
  } else if (!std::exchange(here.has_said_end, true)) {
    send(side, plain(packet::kind::end));
  }
}

void connection::refuse() {
  if (std::exchange(ends_[1].stands, phase::closed) == phase::closed) return;
  ends_[1].received.clear();
  if (!ends_[1].is_broken) send(1, plain(packet::kind::reset));
}

void connection::fall_silent(std::size_t side) {
  end& here = ends_[side];
  here.stands = phase::closed;
  here.is_mute = true;
  here.reader = here.writer = waker{};
  here.received.clear();
}

void connection::reset() {
  note("is reset");
  for (end& each : ends_) break_off(each, code(boost::system::errc::connection_reset));
}

void connection::break_off(end& broken, boost::system::error_code why) {
  broken.on_their_way.clear();
  if (broken.is_broken || broken.stands == phase::closed) return;
  broken.is_broken = true;
  broken.error = why;
  if (broken.owner == nullptr) return;
  broken.owner->ring(broken.reader);
  broken.owner->ring(broken.writer);
}

void connection::send(std::size_t side, packet sent) {
  end& here = ends_[side];
  const machine& far = *ends_[1 - side].at;
  if (here.at->is_down || net_.has_ended()) return;
  std::size_t bytes = sent.bytes.size() + header_bytes;
  here.last_arrival = std::max(here.last_arrival, net_.sure_arrival(*here.at, far, bytes));
  sent.arrival = here.last_arrival;
  sent.number = ++here.last_number;
  std::string_view what = name_of(sent.what);
  here.on_their_way.push_back(std::move(sent));
  net_.plan().at(here.last_arrival, what,
                 [self = shared_from_this(), side] { self->deliver_due(side); });
}

void connection::deliver_due(std::size_t side) {
  end& from = ends_[side];
  auto is_due = [&] {
    return !from.on_their_way.empty() && from.on_their_way.front().arrival <= net_.plan().now();
  };
  while (is_due()) {
    if (!net_.is_open(*from.at, *ends_[1 - side].at)) {
      if (from.is_mute) return from.on_their_way.clear();
      return begin_losing_patience(side);
    }
    packet come = std::move(from.on_their_way.front());
    from.on_their_way.pop_front();
    deliver(side, come);
  }
}

void connection::begin_losing_patience(std::size_t side) {
  end& from = ends_[side];
  if (std::exchange(from.loses_patience, true)) return;
  std::uint64_t number = from.on_their_way.front().number;
  net_.plan().after(net_.patience, "net: patience", [weak = weak_from_this(), side, number] {
    std::shared_ptr<connection> self = weak.lock();
    if (self == nullptr) return;
    end& waiting = self->ends_[side];
    waiting.loses_patience = false;
    if (waiting.on_their_way.empty()) return;
    end& far = self->ends_[1 - side];
    if (self->net_.is_open(*waiting.at, *far.at)) return;
    if (waiting.on_their_way.front().number != number) return self->begin_losing_patience(side);
    self->note("has not answered");
    auto why = code(boost::system::errc::timed_out);
    self->break_off(waiting, why);
    if (far.stands == phase::calling && side == 1) self->break_off(far, why);
  });
}

void connection::send_again() {
  for (std::size_t side = 0; side < ends_.size(); ++side) {
    end& from = ends_[side];
    const machine& far = *ends_[1 - side].at;
    if (from.on_their_way.empty() || !net_.is_open(*from.at, far)) continue;
    time_point now = net_.plan().now(), last = now;
    if (from.on_their_way.front().arrival > now) continue;
    for (packet& each : from.on_their_way) {
      if (each.arrival <= now) each.arrival = net_.sure_arrival(*from.at, far, header_bytes);
      last = each.arrival = std::max(last, each.arrival);
      net_.plan().at(last, name_of(each.what),
                     [self = shared_from_this(), side] { self->deliver_due(side); });
    }
    from.last_arrival = std::max(from.last_arrival, last);
  }
}

void connection::deliver(std::size_t side, packet& come) {
  end& from = ends_[side];
  end& to = ends_[1 - side];
  switch (come.what) {
    case packet::kind::call:
      return be_called(come);
    case packet::kind::answer:
      return be_answered();
    case packet::kind::bytes:
      return take_bytes(side, come);
    case packet::kind::end:
      to.has_heard_end = true;
      if (to.owner != nullptr) to.owner->ring(to.reader);
      return;
    case packet::kind::reset: {
      bool is_refusal = to.stands == phase::calling;
      note(is_refusal ? "is refused" : "is reset by its peer");
      return break_off(to, code(is_refusal ? boost::system::errc::connection_refused
                                           : boost::system::errc::connection_reset));
    }
    case packet::kind::room:
      to.unconfirmed_bytes -= come.count;
      from.room_is_told = false;
      tell_room(side);
      if (to.owner != nullptr) to.owner->ring(to.writer);
      return;
  }
}

// A full queue of calls says nothing: the caller tries again.
void connection::be_called(packet& come) {
  end& caller = ends_[0];
  if (caller.stands != phase::calling || caller.is_broken) return;
  listening* open = ends_[1].at->listeners.find(called_at_);
  if (open == nullptr) return send(1, plain(packet::kind::reset));
  if (open->has_room()) {
    ends_[1].owner = open->owner();
    ends_[1].stands = phase::open;
    send(1, plain(packet::kind::answer));
    return open->take_call(shared_from_this());
  }
  if (come.count == max_redials) return break_off(caller, code(boost::system::errc::timed_out));
  duration pause = first_redial * (1 << come.count);
  net_.plan().after(pause, "net: call again", [self = shared_from_this(), tries = come.count + 1] {
    end& redials = self->ends_[0];
    if (redials.stands != phase::calling || redials.is_broken) return;
    packet again = plain(packet::kind::call);
    again.count = tries;
    self->send(0, std::move(again));
  });
}

void connection::be_answered() {
  end& caller = ends_[0];
  if (caller.stands == phase::closed) return send(0, plain(packet::kind::reset));
  if (caller.is_broken) return;
  caller.stands = phase::open;
  note("stands");
  caller.owner->ring(caller.writer);
}

void connection::take_bytes(std::size_t side, packet& come) {
  end& to = ends_[1 - side];
  if (to.stands == phase::closed) return send(1 - side, plain(packet::kind::reset));
  if (to.is_broken) return;
  to.received.append(come.bytes);
  if (to.owner != nullptr) to.owner->ring(to.reader);
}

void connection::note(std::string_view text) const {
  if (net_.has_ended()) return;
  net_.plan().note(fmt::format("connection {} of {} with {} {}", number_, ends_[0].at->self.name(),
                               ends_[1].at->self.name(), text));
}

}  // namespace troupe::inline v0_1::sim::detail
