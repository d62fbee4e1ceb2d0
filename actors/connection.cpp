#include <actors/connection.hpp>

#include <string_view>
#include <utility>
#include <vector>

#include <troupe/sched/timeout.hpp>

namespace troupe::inline v0_1::actors {

connection::connection(io::stream peer, connection_options options)
    : peer_{std::move(peer)},
      options_{options},
      lines_{peer_, options.max_frame_bytes},
      frames_{mpsc<std::string>(options.max_unsent_frames)} {}

void connection::on_start() {
  self().spawn([this] { return read_frames(); });
  self().spawn([this] { return write_frames(); });
}

task<> connection::on_stop() {
  frames_.rx.close();
  while (auto frame = frames_.rx.try_recv()) unsent_ += *frame;
  if (is_broken_) co_return;
  try {
    co_await write_unsent();
    co_await peer_.shutdown();
  } catch (const system_error&) {
    // It does not want the rest.
  }
}

void connection::on_end(boost::system::error_code) {}

task<std::optional<std::string>> connection::next_frame() { co_return co_await lines_.next_line(); }

task<bool> connection::write(std::string bytes) {
  auto sent = co_await frames_.tx.send(std::move(bytes)).as_result();
  co_return sent.has_value();
}

task<> connection::read_frames() {
  while (auto frame = co_await read_frame()) co_await on_frame(std::move(*frame));
  end({});
}

task<std::optional<std::string>> connection::read_frame() {
  try {
    co_return co_await timeout(options_.idle_limit, next_frame());
  } catch (const system_error& error) {
    end(error.code());
  }
  co_return std::nullopt;
}

task<> connection::write_frames() {
  std::vector<std::string> taken;
  try {
    for (;;) {
      co_await frames_.rx.recv_many(taken, options_.max_unsent_frames);
      for (const auto& frame : taken) unsent_ += frame;
      taken.clear();
      co_await write_unsent();
    }
  } catch (const system_error& error) {
    is_broken_ = true;
    frames_.rx.close();  // Who waits for room goes on.
    end(error.code());
  }
}

task<> connection::write_unsent() {
  while (sent_bytes_ < unsent_.size()) {
    std::string_view rest = std::string_view{unsent_}.substr(sent_bytes_);
    std::size_t count = co_await timeout(options_.write_limit, peer_.write_some(rest));
    sent_bytes_ += count;
  }
  unsent_.clear();
  sent_bytes_ = 0;
}

void connection::end(boost::system::error_code error) {
  if (std::exchange(has_ended_, true)) return;
  on_end(error);
  self().stop();
}

}  // namespace troupe::inline v0_1::actors
