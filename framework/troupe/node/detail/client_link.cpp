#include <troupe/node/detail/client_link.hpp>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <troupe/sched/random.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/task/select.hpp>

namespace troupe::inline v0_1::detail {

namespace {

constexpr duration forsaken_period = std::chrono::milliseconds{50};

// A half to all of it, so that nodes that have lost the same one do not come back as one.
duration jittered(duration length) {
  auto half = static_cast<std::uint64_t>(length.count() / 2);
  return length - duration{static_cast<duration::rep>(random_number() % (half + 1))};
}

// What the other node may say of a request or a lookup; it may send any number.
ask_errc known_error(std::uint16_t code) {
  auto error = static_cast<ask_errc>(code);
  switch (error) {
    case ask_errc::mailbox_full:
    case ask_errc::receiver_gone:
    case ask_errc::rejected:
    case ask_errc::expired:
    case ask_errc::deadlock:
    case ask_errc::no_route:
    case ask_errc::canceled_unrun:
    case ask_errc::timeout:
    case ask_errc::node_down:
    case ask_errc::canceled:
    case ask_errc::broken_reply:
      return error;
    default:
      return ask_errc::receiver_failed;
  }
}

}  // namespace

client_link::client_link(std::shared_ptr<const node_self> self, std::string address)
    : self_{std::move(self)}, address_{std::move(address)} {
  is_down_.set();
}

// --- its life ---

task<> client_link::run() {
  duration wait = options().first_retry;
  for (bool is_first = true;; is_first = false) {
    bool was_up = false;
    std::exception_ptr why;
    try {
      was_up = co_await live();
    } catch (const std::exception&) {
      why = std::current_exception();
    }
    if (why && is_first) co_return fail_first(why);
    if (closing_.is_set()) co_return;
    wait = was_up ? options().first_retry : std::min(2 * wait, options().last_retry);
    co_await select(sleep_for(jittered(wait)), closing_.wait());
    if (closing_.is_set()) co_return;
  }
}

// Returns: when the link was lost, true. Throws when it could not be made.
task<bool> client_link::live() {
  auto attempt = co_await select(establish(), closing_.wait());
  if (attempt.index() == 1) throw_error(make_error_code(node_errc::stopped));
  auto connection = std::get<0>(std::move(attempt));
  {
    pal::lock guard{mutex_};
    if (closing_.is_set()) throw_error(make_error_code(node_errc::stopped));
    connection_ = connection;
    is_down_.reset();
    is_up_.set();
  }
  tried_.set();
  std::string cause;
  try {
    co_await connection->run(*this);
  } catch (const std::exception& ended) {
    cause = ended.what();
  } catch (const canceled&) {
    go_down("it was shut down");
    throw;
  }
  go_down(cause);
  co_return true;
}

task<std::shared_ptr<node_connection>> client_link::establish() {
  io::stream peer =
      co_await timeout(options().handshake_limit, self_->connect(node_address::parse(address_)));
  auto greeted =
      co_await timeout(options().handshake_limit, greet(peer, self_->hello())).as_result();
  if (!greeted) {
    throw_error(make_error_code(node_errc::not_a_node),
                "it has been silent since it was connected");
  }
  hello_frame theirs = std::move(*greeted);
  {
    pal::lock guard{mutex_};
    peer_name_ = theirs.name;
  }
  co_return std::make_shared<node_connection>(std::move(peer), options());
}

void client_link::fail_first(std::exception_ptr why) {
  {
    pal::lock guard{mutex_};
    first_failure_ = std::move(why);
  }
  closing_.set();
  tried_.set();
}

void client_link::go_down(const std::string& cause) {
  std::unordered_map<std::uint64_t, std::unique_ptr<remote_request>> requests;
  std::unordered_map<std::uint64_t, waiting_lookup> lookups;
  std::vector<std::function<void(remote_news)>> listeners;
  std::string words;
  {
    pal::lock guard{mutex_};
    connection_ = nullptr;
    is_up_.reset();
    words = words_ = fmt::format("the link to {} at {} was lost: {}", peer_name_, address_, cause);
    requests.swap(requests_);
    lookups.swap(lookups_);
    sessions_.clear();
    for (auto& [number, target] : targets_) {
      target->session_ = 0;
      target->credit_bytes_.store(0, std::memory_order_relaxed);
      target->changed_.set();
      if (target->tell_ && !target->has_ended_) listeners.push_back(target->tell_);
    }
  }
  is_down_.set();
  for (auto& [id, each] : requests) each->fail(ask_errc::node_down, words);
  for (auto& [id, each] : lookups) (void)each.tell.send({ask_errc::node_down, words});
  auto why = std::make_exception_ptr(system_error{make_error_code(ask_errc::node_down), words});
  for (auto& tell : listeners) tell({remote_news::kind::link_lost, {}, why});
}

void client_link::close(const std::string& words) {
  closing_.set();  // First: a connection that is taken on after it is let go of again.
  std::shared_ptr<node_connection> connection;
  {
    pal::lock guard{mutex_};
    connection = connection_;
  }
  if (connection != nullptr) connection->close(words);
}

task<> client_link::connected() {
  co_await tried_.wait();
  pal::lock guard{mutex_};
  if (first_failure_) std::rethrow_exception(first_failure_);
}

task<> client_link::up() {
  auto first = co_await select(is_up_.wait(), closing_.wait());
  if (first.index() == 1) throw_error(make_error_code(node_errc::stopped));
}

task<> client_link::down() { co_await is_down_.wait(); }

bool client_link::is_up() const {
  pal::lock guard{mutex_};
  return connection_ != nullptr;
}

bool client_link::has_failed() const {
  pal::lock guard{mutex_};
  return first_failure_ != nullptr;
}

std::string client_link::peer_name() const {
  pal::lock guard{mutex_};
  return peer_name_;
}

// --- looking up ---

task<std::shared_ptr<remote_target>> client_link::find(std::shared_ptr<client_link> user,
                                                       std::string name,
                                                       const std::vector<item_spec>& items) {
  auto target = std::make_shared<remote_target>(user, std::move(name), items);
  lookup_outcome outcome = co_await user->look_up(target->number_);
  if (outcome.error != ask_errc{}) throw_error(make_error_code(outcome.error), outcome.words);
  co_return target;
}

task<client_link::lookup_outcome> client_link::look_up(std::uint64_t number) {
  auto ends = oneshot<lookup_outcome>();
  {
    pal::lock guard{mutex_};
    auto found = targets_.find(number);
    if (found == targets_.end()) co_return lookup_outcome{ask_errc::canceled_unrun, ""};
    if (connection_ == nullptr) {
      co_return lookup_outcome{ask_errc::node_down,
                               words_.empty() ? "there is no link to " + address_ : words_};
    }
    lookup_frame asked{next_++, next_session_++, found->second->name_, found->second->items_};
    connection_->send(asked);
    lookups_.emplace(asked.lookup, waiting_lookup{std::move(ends.tx), asked.session, number});
  }
  lookup_outcome outcome = co_await ends.rx;
  co_return outcome;
}

std::vector<std::uint64_t> client_link::lost_targets() const {
  std::vector<std::uint64_t> lost;
  pal::lock guard{mutex_};
  for (auto& [number, target] : targets_) {
    if (target->session_ == 0 && target->was_found_ && !target->has_ended_) lost.push_back(number);
  }
  std::sort(lost.begin(), lost.end());
  return lost;
}

// Those that were known before the link was lost. A node that has just started may publish later.
task<> client_link::find_again() {
  duration wait = options().first_retry;
  for (;;) {
    std::vector<std::uint64_t> lost = lost_targets();
    for (std::uint64_t number : lost) (void)co_await look_up(number);
    if (lost_targets().empty()) co_return;
    co_await sleep_for(jittered(wait));
    wait = std::min(2 * wait, options().last_retry);
  }
}

std::uint64_t client_link::add(remote_target& target) {
  pal::lock guard{mutex_};
  std::uint64_t number = next_++;
  targets_.emplace(number, &target);
  return number;
}

void client_link::remove(const remote_target& target) noexcept {
  std::shared_ptr<node_connection> connection;
  std::uint32_t session = 0;
  {
    pal::lock guard{mutex_};
    targets_.erase(target.number_);
    session = target.session_;
    if (session != 0) sessions_.erase(session);
    connection = connection_;
  }
  if (session == 0 || connection == nullptr) return;
  try {
    connection->send(drop_frame{session});
  } catch (const std::bad_alloc&) {
    connection->break_off("no memory");
  }
}

// --- what comes ---

void client_link::begin(scope_handle tasks) {
  tasks.spawn([this] { return find_again(); });
  tasks.spawn([this] { return withdraw_forsaken(); });
}

void client_link::receive(frame_bytes frame) {
  switch (frame.kind()) {
    case frame_kind::found:
      if (found_frame found; frame.read(found)) return hear(found);
      break;
    case frame_kind::missing:
      if (missing_frame missing; frame.read(missing)) return hear(missing);
      break;
    case frame_kind::credit:
      if (credit_frame credit; frame.read(credit)) return hear(credit);
      break;
    case frame_kind::answer:
      if (answer_frame answered; frame.read(answered)) return hear(answered, frame.payload());
      break;
    case frame_kind::failure:
      if (failure_frame failed; frame.read(failed)) return hear(std::move(failed));
      break;
    case frame_kind::ended:
      if (ended_frame ended; frame.read(ended)) return hear(ended);
      break;
    default:
      break;
  }
  throw_broken("a frame that is none");
}

std::optional<client_link::waiting_lookup> client_link::take_lookup(std::uint64_t id) {
  auto taken = lookups_.extract(id);
  if (taken.empty()) return std::nullopt;
  return std::move(taken.mapped());
}

void client_link::hear(const found_frame& found) {
  pal::lock guard{mutex_};
  auto lookup = take_lookup(found.lookup);
  if (!lookup) return;
  auto to = targets_.find(lookup->target);
  if (to == targets_.end()) {
    connection_->send(drop_frame{lookup->session});
    return;
  }
  remote_target& target = *to->second;
  target.session_ = lookup->session;
  target.credit_bytes_.store(static_cast<std::int64_t>(found.window_bytes),
                             std::memory_order_relaxed);
  target.was_found_ = true;
  target.changed_.set();
  sessions_.emplace(lookup->session, &target);
  guard.unlock();
  (void)lookup->tell.send({});
}

void client_link::hear(const missing_frame& missing) {
  pal::lock guard{mutex_};
  auto lookup = take_lookup(missing.lookup);
  guard.unlock();
  if (lookup) (void)lookup->tell.send({known_error(missing.error), missing.words});
}

void client_link::hear(const credit_frame& credit) {
  pal::lock guard{mutex_};
  auto at = sessions_.find(credit.session);
  if (at == sessions_.end()) return;
  at->second->credit_bytes_.fetch_add(static_cast<std::int64_t>(credit.size_bytes),
                                      std::memory_order_relaxed);
  at->second->changed_.set();
}

std::unique_ptr<remote_request> client_link::take_request(std::uint64_t id) {
  pal::lock guard{mutex_};
  auto taken = requests_.extract(id);
  if (taken.empty()) return nullptr;  // Withdrawn.
  return std::move(taken.mapped());
}

void client_link::hear(const answer_frame& answered, std::string_view payload) {
  auto request = take_request(answered.request);
  if (request == nullptr || request->answer(payload)) return;
  request->fail(ask_errc::receiver_failed, "the bytes of its answer are none of that type");
  throw_broken("an answer that is none");
}

void client_link::hear(failure_frame failed) {
  auto request = take_request(failed.request);
  if (request != nullptr) request->fail(known_error(failed.error), std::move(failed.words));
}

void client_link::hear(const ended_frame& ended) {
  std::function<void(remote_news)> tell;
  {
    pal::lock guard{mutex_};
    auto at = sessions_.find(ended.session);
    if (at == sessions_.end()) return;
    remote_target& target = *at->second;
    tell = target.tell_;
    if (!ended.restarts) {
      target.has_ended_ = true;
      target.changed_.set();
    }
  }
  if (!tell) return;
  remote_news news{ended.restarts ? remote_news::kind::restarts : remote_news::kind::ended,
                   std::min(static_cast<exit_kind>(ended.how), exit_kind::unknown)};
  if (news.how == exit_kind::failed) {
    news.why = std::make_exception_ptr(std::runtime_error{ended.words});
  }
  tell(std::move(news));
}

// --- those whose caller has gone ---

task<> client_link::withdraw_forsaken() {
  for (;;) {
    co_await has_requests_.wait();
    co_await sleep_for(forsaken_period);
    while (withdraw_those_gone()) co_await sleep_for(forsaken_period);
  }
}

// Returns: whether requests are left.
bool client_link::withdraw_those_gone() {
  std::vector<std::unique_ptr<remote_request>> gone;  // Freed without the lock.
  pal::lock guard{mutex_};
  for (auto at = requests_.begin(); at != requests_.end();) {
    if (!at->second->caller_gone()) {
      ++at;
      continue;
    }
    if (connection_ != nullptr) connection_->send(withdraw_frame{at->first});
    gone.push_back(std::move(at->second));
    at = requests_.erase(at);
  }
  if (!requests_.empty()) return true;
  has_requests_.reset();
  return false;
}

// --- a target ---

remote_target::remote_target(std::shared_ptr<client_link> link, std::string name,
                             const std::vector<item_spec>& items)
    : link_{std::move(link)}, name_{std::move(name)}, items_{items}, number_{link_->add(*this)} {}

remote_target::~remote_target() { link_->remove(*this); }

void remote_target::tell(std::function<void(remote_news)> whom) {
  pal::lock guard{link_->mutex_};
  tell_ = std::move(whom);
}

bool remote_target::is_reachable() const noexcept {
  return link_->connection_ != nullptr && session_ != 0 && !has_ended_;
}

task<> remote_target::wait_for_credit() {
  for (;;) {
    {
      pal::lock guard{link_->mutex_};
      if (has_credit() || !is_reachable()) co_return;
      changed_.reset();
    }
    co_await changed_.wait();
  }
}

bool remote_target::send(std::uint16_t item, std::string_view payload) {
  pal::lock guard{link_->mutex_};
  if (!is_reachable()) return false;
  pay(payload.size());
  link_->connection_->send(tell_frame{session_, item}, payload);
  return true;
}

void remote_target::ask(std::uint16_t item, std::string_view payload, std::optional<duration> left,
                        std::unique_ptr<remote_request> request) {
  pal::lock guard{link_->mutex_};
  if (!is_reachable()) {
    ask_errc error = has_ended_ ? ask_errc::receiver_gone : ask_errc::node_down;
    std::string words = has_ended_ ? title() + " has ended" : link_->words_;
    guard.unlock();
    return request->fail(error, std::move(words));
  }
  pay(payload.size());
  ask_frame asked{session_, item, link_->next_++, left ? left->count() : -1};
  link_->connection_->send(asked, payload);
  link_->requests_.emplace(asked.request, std::move(request));
  if (!link_->has_requests_.is_set()) link_->has_requests_.set();
}

void remote_target::end(bool kills) {
  pal::lock guard{link_->mutex_};
  if (is_reachable()) link_->connection_->send(end_frame{session_, kills});
}

std::string remote_target::title() const { return name_ + " at " + link_->address(); }

std::size_t remote_target::max_message_bytes() const noexcept {
  return link_->options().max_message_bytes;
}

}  // namespace troupe::inline v0_1::detail
