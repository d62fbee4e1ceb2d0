#include <troupe/node/detail/node_connection.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include <troupe/io/framing.hpp>
#include <troupe/sched/interval.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/task/select.hpp>
#include <troupe/task/yield.hpp>
#include <troupe/tls/tls.hpp>

namespace troupe::inline v0_1::detail {

namespace {

constexpr duration farewell_limit = std::chrono::seconds{1};
constexpr std::size_t max_hello_bytes = 1024;
constexpr std::size_t max_fields_bytes = 64 * 1024;  // Beside the content of a message.

[[noreturn]] void throw_lost(const std::string& words) {
  throw_error(make_error_code(node_errc::lost), words);
}

// What a first frame that is none may be, by its first bytes.
std::string_view kind_of_stranger(std::span<const std::byte> first) {
  auto at = [&](std::size_t i) { return static_cast<unsigned char>(first[i]); };
  if (at(0) == 0x16 && at(1) == 3) return "it speaks TLS, and this node does not";
  if (at(0) == 0x15 && at(1) == 3) return "it speaks TLS, and this node does not";
  if (at(0) == 'H' && at(1) == 'T') return "it speaks HTTP";
  return "it speaks something else";
}

// Why there was no first frame. Who has connected hears only by its first read that the other side
// has refused its certificate, and a port with TLS says nothing to one that speaks none.
[[noreturn]] void throw_unheard(const io::stream& peer, const system_error& failed) {
  if (failed.code() == tls::errc::refused_by_peer) {
    throw_error(failed.code(), "it refuses the certificate of this node, and its log says why");
  }
  if (failed.code() != errc::end_of_stream) throw system_error{failed};
  throw_error(make_error_code(node_errc::not_a_node),
              std::string{"it has closed the connection without a word"} +
                  (tls::info_of(peer) ? "" : ", as a node with TLS does to one without"));
}

task<frame_bytes> read_first(io::stream& peer) {
  std::array<std::byte, prefix_bytes> prefix{};
  try {
    co_await peer.read_exactly(prefix);
  } catch (const system_error& failed) {
    throw_unheard(peer, failed);
  }
  std::size_t size_bytes = load_prefix(prefix);
  if (size_bytes == 0 || size_bytes > max_hello_bytes) {
    throw_error(make_error_code(node_errc::not_a_node), std::string{kind_of_stranger(prefix)});
  }
  std::string bytes(size_bytes, '\0');
  co_await peer.read_exactly(bytes);
  co_return frame_bytes{std::move(bytes)};
}

}  // namespace

void throw_broken(const std::string& words) {
  throw_error(make_error_code(node_errc::broken), words);
}

task<hello_frame> greet(io::stream& peer, const hello_frame& mine) {
  std::string out;
  append_frame(out, mine);
  co_await peer.write_all(out);
  frame_bytes first = co_await read_first(peer);
  refusal_frame refusal;
  if (first.read(refusal)) throw_error(make_error_code(node_errc::refused), refusal.words);
  hello_frame theirs;
  if (!first.read(theirs) || theirs.magic != node_magic) {
    throw_error(make_error_code(node_errc::not_a_node), "it does not say hello");
  }
  if (theirs.version != node_protocol) {
    throw_error(make_error_code(node_errc::other_version),
                fmt::format("{} speaks version {}, and {} speaks version {}", theirs.name,
                            theirs.version, mine.name, mine.version));
  }
  if (theirs.id_high == mine.id_high && theirs.id_low == mine.id_low) {
    throw_error(make_error_code(node_errc::itself), mine.name);
  }
  co_return theirs;
}

task<> turn_away(io::stream& peer, std::string words) {
  (void)co_await read_first(peer);
  std::string out;
  append_frame(out, refusal_frame{std::move(words)});
  co_await peer.write_all(out);
  co_await peer.shutdown();
}

void node_connection::close(std::string words) {
  {
    pal::lock guard{mutex_};
    if (is_closing_) return;
    is_closing_ = true;
    words_ = std::move(words);
    append_frame(out_, bye_frame{words_});
  }
  ready_.set();
  closing_.set();
}

void node_connection::break_off(std::string words) {
  {
    pal::lock guard{mutex_};
    if (is_broken_off_) return;
    is_broken_off_ = is_closing_ = true;
    words_ = std::move(words);
    out_.clear();
  }
  ready_.set();
  closing_.set();
}

task<> node_connection::run(frame_receiver& to) {
  last_heard_.store(now().time_since_epoch().count(), std::memory_order_relaxed);
  try {
    co_await scope([&](scope_handle tasks) { return work(to, tasks); });
  } catch (const system_error& failed) {
    forget();
    if (failed.code().category() == node_category()) throw;
    throw_lost(failed.what());
  } catch (...) {
    forget();
    throw;
  }
  forget();
  pal::lock guard{mutex_};
  auto why = make_error_code(is_broken_off_ ? node_errc::lost : node_errc::stopped);
  if (words_ == why.message()) throw_error(why);  // It would say so twice.
  throw_error(why, words_);
}

// Nothing goes out any more.
void node_connection::forget() {
  pal::lock guard{mutex_};
  is_closing_ = true;
  out_ = {};
}

task<> node_connection::work(frame_receiver& to, scope_handle tasks) {
  tasks.spawn([this] { return write(); });
  tasks.spawn([this] { return beat(); });
  tasks.spawn([this] { return watch(); });
  to.begin(tasks);
  std::exception_ptr why;  // Nobody would hear it from a branch that has lost.
  auto ended = co_await select(read_until_end(to, why), closing_.wait());
  if (ended.index() == 0) std::rethrow_exception(why);
  if (!is_broken_off()) (void)co_await timeout(farewell_limit, written_.wait()).as_result();
  tasks.request_stop();
}

task<> node_connection::read_until_end(frame_receiver& to, std::exception_ptr& why) {
  try {
    co_await read(to);
  } catch (const std::exception&) {
    why = std::current_exception();
  }
}

task<> node_connection::read(frame_receiver& to) {
  io::frame_reader frames{peer_, limits_.max_message_bytes + max_fields_bytes};
  for (;;) {
    std::size_t held_bytes = frames.held_bytes();
    auto bytes = co_await frames.next_frame();
    if (!bytes) throw_lost("the node has closed the connection");
    if (held_bytes < prefix_bytes + bytes->size()) {  // Else it had come with an earlier one.
      last_heard_.store(now().time_since_epoch().count(), std::memory_order_relaxed);
    }
    frame_bytes frame{std::move(*bytes)};
    if (bye_frame bye; frame.read(bye)) throw_lost(bye.words);
    if (frame.kind() != frame_kind::ping) to.receive(std::move(frame));
  }
}

task<> node_connection::write() {
  std::string batch;
  for (bool is_last = false; !is_last;) {
    co_await ready_.wait();
    // What others are about to send goes with it: a write costs as much as many frames.
    co_await yield();
    batch.clear();
    {
      pal::lock guard{mutex_};
      batch.swap(out_);
      ready_.reset();
      is_last = is_closing_;
    }
    if (!batch.empty()) co_await peer_.write_all(batch);
  }
  co_await peer_.shutdown();
  written_.set();
}

bool node_connection::is_broken_off() {
  pal::lock guard{mutex_};
  return is_broken_off_;
}

task<> node_connection::beat() {
  interval ticks{limits_.heartbeat};
  for (;;) {
    co_await ticks.next();
    send(ping_frame{});
  }
}

// Who was stopped himself finds what has come meanwhile only after this.
task<> node_connection::watch() {
  time_point stalled_until{};
  for (;;) {
    time_point limit = std::max(heard_at(), stalled_until) + limits_.down_after;
    if (now() >= limit) {
      throw_lost(fmt::format("nothing was heard of the node for {:.1f} s",
                             std::chrono::duration<double>(limits_.down_after).count()));
    }
    co_await sleep_until(limit);
    if (now() > limit + limits_.heartbeat) stalled_until = now() - limits_.down_after / 2;
  }
}

}  // namespace troupe::inline v0_1::detail
