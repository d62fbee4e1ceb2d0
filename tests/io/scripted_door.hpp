#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>

#include <troupe/io/listener.hpp>
#include <troupe/pal/mutex.hpp>

#include <io/scripted_wire.hpp>

namespace troupe::io {

/// Where a test lets peers in memory, or errors, come in, from any thread.
struct scripted_door {
  pal::mutex mutex;
  std::deque<result<std::shared_ptr<scripted_wire>>> waiting;
  waker acceptor;
  bool closed = false;

  void knock(result<std::shared_ptr<scripted_wire>> next) {
    pal::lock guard{mutex};
    waiting.push_back(std::move(next));
    acceptor.wake();
  }
};

class scripted_listener final : public listener_device {
public:
  explicit scripted_listener(std::shared_ptr<scripted_door> door) : door_{std::move(door)} {}

  attempt<stream_device_ptr> try_accept() noexcept override {
    pal::lock guard{door_->mutex};
    if (door_->waiting.empty()) return std::nullopt;
    auto next = std::move(door_->waiting.front());
    door_->waiting.pop_front();
    if (next.has_error()) return next.error();
    return stream_device_ptr{new scripted_device{*next}};
  }
  bool enlist_accept(waker key) noexcept override {
    pal::lock guard{door_->mutex};
    door_->acceptor = key;
    return door_->waiting.empty();
  }
  void delist_accept() noexcept override {
    pal::lock guard{door_->mutex};
    door_->acceptor = waker{};
  }
  std::string local_address() const override { return "door:1"; }
  std::uint16_t port() const noexcept override { return 1; }
  void close() noexcept override {
    door_->closed = true;
    delete this;
  }

private:
  std::shared_ptr<scripted_door> door_;
};

/// A listener whose connections come in at a door that the test holds.
inline listener open_scripted(std::shared_ptr<scripted_door> door) {
  return listener{listener_device_ptr{new scripted_listener{std::move(door)}}};
}

}  // namespace troupe::io
