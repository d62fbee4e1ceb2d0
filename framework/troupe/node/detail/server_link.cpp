#include <troupe/node/detail/server_link.hpp>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <troupe/sched/sleep.hpp>

namespace troupe::inline v0_1::detail {

// --- what is published ---

bool export_table::add(std::string name, std::shared_ptr<exported> what) {
  pal::lock guard{mutex_};
  auto& place = all_[std::move(name)];
  if (place != nullptr && !place->has_ended()) return false;
  std::swap(place, what);
  guard.unlock();  // The one that has ended is dropped without it.
  return true;
}

void export_table::remove(const std::string& name) {
  std::shared_ptr<exported> dropped;
  pal::lock guard{mutex_};
  auto found = all_.find(name);
  if (found == all_.end()) return;
  dropped = std::move(found->second);
  all_.erase(found);
  guard.unlock();
}

void export_table::clear() {
  std::unordered_map<std::string, std::shared_ptr<exported>> dropped;
  pal::lock guard{mutex_};
  dropped.swap(all_);
  guard.unlock();
}

std::shared_ptr<exported> export_table::find(const std::string& name) const {
  pal::lock guard{mutex_};
  auto found = all_.find(name);
  return found == all_.end() ? nullptr : found->second;
}

// --- the link ---

server_link::server_link(std::shared_ptr<const node_self> self, io::stream peer,
                         std::string peer_name, const export_table& exports)
    : self_{std::move(self)},
      limits_{self_->options()},
      own_name_{self_->hello().name},
      peer_name_{std::move(peer_name)},
      exports_{exports},
      connection_{std::move(peer), limits_} {}

task<> server_link::run() { co_await connection_.run(*this); }

void server_link::receive(frame_bytes frame) {
  switch (frame.kind()) {
    case frame_kind::tell:
      if (tell_frame told; frame.read(told)) {
        return hear(told.session, told.item, incoming{std::move(frame)});
      }
      break;
    case frame_kind::ask:
      if (ask_frame asked; frame.read(asked)) {
        incoming message{std::move(frame), 0, asked.request};
        if (asked.left_ns >= 0) message.until = connection_.heard_at() + duration{asked.left_ns};
        return hear(asked.session, asked.item, std::move(message));
      }
      break;
    case frame_kind::lookup:
      if (lookup_frame lookup; frame.read(lookup)) return hear(lookup);
      break;
    case frame_kind::withdraw:
      if (withdraw_frame withdrawn; frame.read(withdrawn)) return hear(withdrawn);
      break;
    case frame_kind::end:
      if (end_frame end; frame.read(end)) {
        if (auto found = find(end.session)) found->to->end(end.kills);
        return;
      }
      break;
    case frame_kind::drop:
      if (drop_frame dropped; frame.read(dropped)) return hear(dropped);
      break;
    default:
      break;
  }
  throw_broken("a frame that is none");
}

server_link::session* server_link::find(std::uint32_t number) const {
  auto found = sessions_.find(number);
  return found == sessions_.end() ? nullptr : found->second.get();
}

// Nobody sends before a session was found, nor after it has dropped it.
void server_link::hear(std::uint32_t number, std::uint16_t item, incoming message) {
  auto found = find(number);
  if (found == nullptr || item >= found->item_of.size()) throw_broken("a message for nobody");
  message.item = found->item_of[item];
  auto cost = static_cast<std::int64_t>(cost_bytes(message.frame.payload().size()));
  std::int64_t open = found->open_bytes.fetch_add(cost, std::memory_order_relaxed);
  if (open > static_cast<std::int64_t>(limits_.window_bytes)) throw_broken("more than its credit");
  (void)found->mail->try_send(std::move(message));
}

void server_link::hear(const withdraw_frame& withdrawn) {
  pal::lock guard{mutex_};
  auto found = requests_.find(withdrawn.request);
  if (found != requests_.end()) found->second();
}

void server_link::hear(const drop_frame& dropped) {
  auto found = find(dropped.session);
  if (found == nullptr) return;
  found->mail.reset();
  sessions_.erase(dropped.session);
}

// --- looking up ---

void server_link::refuse(const lookup_frame& lookup, ask_errc error, std::string words) {
  connection_.send(
      missing_frame{lookup.lookup, static_cast<std::uint16_t>(error), std::move(words)});
}

// Returns: in what the two protocols differ; empty when all that is wanted is there.
std::string server_link::mismatch(const lookup_frame& wanted, const exported& found,
                                  std::vector<std::size_t>& item_of) const {
  const std::vector<item_spec>& ours = found.items();
  for (const item_spec& theirs : wanted.items) {
    auto at = std::find_if(ours.begin(), ours.end(),
                           [&](const item_spec& each) { return each.message == theirs.message; });
    if (at == ours.end()) {
      return fmt::format("{} does not handle {}, which {} wants to send", wanted.name,
                         theirs.message, peer_name_);
    }
    if (at->layout != theirs.layout) {
      return fmt::format("{} is {} at {}, and {} at {}", theirs.message, at->layout, own_name_,
                         theirs.layout, peer_name_);
    }
    if (theirs.answer != "-" && at->answer != theirs.answer) {
      return fmt::format("{} answers {} by {}, and {} expects {}", own_name_, theirs.message,
                         at->answer == "-" ? "nothing that was published" : at->answer, peer_name_,
                         theirs.answer);
    }
    item_of.push_back(static_cast<std::size_t>(at - ours.begin()));
  }
  return {};
}

void server_link::hear(const lookup_frame& lookup) {
  std::shared_ptr<exported> found = exports_.find(lookup.name);
  if (found == nullptr || found->has_ended()) {
    return refuse(lookup, ask_errc::no_route,
                  fmt::format("{} has published nothing as '{}'", own_name_, lookup.name));
  }
  if (sessions_.contains(lookup.session)) throw_broken("two actors of one number");
  if (sessions_.size() >= limits_.max_actors) {
    return refuse(
        lookup, ask_errc::rejected,
        fmt::format("{} lets a link use {} actors at once", own_name_, limits_.max_actors));
  }
  auto made = std::make_shared<session>(*this, lookup.session, found);
  std::string difference = mismatch(lookup, *found, made->item_of);
  if (!difference.empty()) return refuse(lookup, ask_errc::rejected, std::move(difference));
  sessions_.emplace(lookup.session, made);
  connection_.send(found_frame{lookup.lookup, limits_.window_bytes});
  tasks_->spawn([self = shared_from_this(), made] { return self->serve(made); });
  found->follow(made->end);
}

server_link::session::hook::hook(session& in) noexcept
    : end_hook{[](end_hook& self, const exit_reason& why) noexcept {
                 session& mine = static_cast<hook&>(self).of;
                 mine.link.tell_end(mine.number, why, false);
               },
               [](end_hook& self, const exit_reason& why) noexcept {
                 session& mine = static_cast<hook&>(self).of;
                 mine.link.tell_end(mine.number, why, true);
               }},
      of{in} {}

void server_link::tell_end(std::uint32_t number, const exit_reason& why, bool restarts) noexcept {
  try {
    ended_frame ended{number, static_cast<std::uint8_t>(why.kind), restarts, {}};
    if (why.kind == exit_kind::failed) ended.words = to_string(why);
    connection_.send(ended);
  } catch (const std::bad_alloc&) {
    connection_.break_off("no memory");
  }
}

// Its messages have no bound of their own: who sends more than his credit has is cut off.
task<> server_link::serve(std::shared_ptr<session> of) {
  const auto self = shared_from_this();
  while (auto message = co_await of->waiting.recv()) {
    std::size_t cost = cost_bytes(message->frame.payload().size());
    bool is_well = co_await of->to->deliver(self, std::move(*message));
    if (!is_well) throw_broken("a message that is none of its type");
    of->open_bytes.fetch_sub(static_cast<std::int64_t>(cost), std::memory_order_relaxed);
    of->owed_bytes += cost;
    if (of->owed_bytes < limits_.window_bytes / 4) continue;
    connection_.send(credit_frame{of->number, std::exchange(of->owed_bytes, 0)});
  }
}

// --- requests ---

void server_link::begin_request(std::uint64_t request, withdrawal with) {
  pal::lock guard{mutex_};
  if (!requests_.emplace(request, with).second) throw_broken("a request twice");
}

// Returns: false when it was withdrawn, or never begun. After this nobody withdraws it.
bool server_link::end_request(std::uint64_t request) {
  pal::lock guard{mutex_};
  return requests_.erase(request) != 0;
}

void server_link::answer(std::uint64_t request, std::string_view payload) {
  if (!end_request(request)) return;
  if (payload.size() <= limits_.max_message_bytes) {
    return connection_.send(answer_frame{request}, payload);
  }
  connection_.send(failure_frame{request, static_cast<std::uint16_t>(ask_errc::receiver_failed),
                                 fmt::format("the answer has {} bytes, and at most {} may travel",
                                             payload.size(), limits_.max_message_bytes)});
}

void server_link::fail(std::uint64_t request, ask_errc error, const std::string* words) noexcept {
  try {
    if (!end_request(request)) return;
    connection_.send(failure_frame{request, static_cast<std::uint16_t>(error),
                                   words != nullptr ? *words : std::string{}});
  } catch (const std::bad_alloc&) {
    connection_.break_off("no memory");
  }
}

}  // namespace troupe::inline v0_1::detail
