#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include <troupe/io/stream.hpp>
#include <troupe/pal/mutex.hpp>

namespace troupe::io {

/// A peer in memory that does exactly what a test tells it, from any thread.
struct scripted_wire {
  pal::mutex mutex;
  std::string incoming;  // What the stream under test will read.
  std::string outgoing;  // What it has written.
  std::size_t max_chunk = 1 << 20;
  std::size_t room = 1 << 20;
  bool ended = false;
  bool shut_down = false;
  bool closed = false;
  boost::system::error_code error;
  waker reader, writer;

  void feed(std::string_view bytes) {
    pal::lock guard{mutex};
    incoming += bytes;
    reader.wake();
  }
  void end() {
    pal::lock guard{mutex};
    ended = true;
    reader.wake();
  }
  void make_room(std::size_t bytes) {
    pal::lock guard{mutex};
    room += bytes;
    writer.wake();
  }
};

class scripted_device final : public stream_device {
public:
  explicit scripted_device(std::shared_ptr<scripted_wire> wire) : wire_{std::move(wire)} {}

  attempt<std::size_t> try_read(std::span<std::byte> into) noexcept override {
    pal::lock guard{wire_->mutex};
    if (wire_->error.failed()) return wire_->error;
    std::size_t count = std::min({into.size(), wire_->incoming.size(), wire_->max_chunk});
    if (count == 0) return wire_->ended ? attempt<std::size_t>{std::size_t{0}} : std::nullopt;
    std::memcpy(into.data(), wire_->incoming.data(), count);
    wire_->incoming.erase(0, count);
    return count;
  }
  attempt<std::size_t> try_write(std::span<const std::byte> from) noexcept override {
    pal::lock guard{wire_->mutex};
    if (wire_->error.failed()) return wire_->error;
    std::size_t count = std::min({from.size(), wire_->room, wire_->max_chunk});
    if (count == 0) return std::nullopt;
    wire_->outgoing.append(reinterpret_cast<const char*>(from.data()), count);
    wire_->room -= count;
    return count;
  }
  attempt<void> try_shutdown() noexcept override {
    pal::lock guard{wire_->mutex};
    wire_->shut_down = true;
    return result<void>{};
  }
  bool enlist_read(waker key) noexcept override {
    pal::lock guard{wire_->mutex};
    wire_->reader = key;
    return wire_->incoming.empty() && !wire_->ended && !wire_->error.failed();
  }
  void delist_read() noexcept override {
    pal::lock guard{wire_->mutex};
    wire_->reader = waker{};
  }
  bool enlist_write(waker key) noexcept override {
    pal::lock guard{wire_->mutex};
    wire_->writer = key;
    return wire_->room == 0 && !wire_->error.failed();
  }
  void delist_write() noexcept override {
    pal::lock guard{wire_->mutex};
    wire_->writer = waker{};
  }
  std::string local_address() const override { return "here"; }
  std::string peer_address() const override { return "there"; }
  void close() noexcept override {
    {
      pal::lock guard{wire_->mutex};
      wire_->closed = true;
    }
    delete this;
  }

private:
  std::shared_ptr<scripted_wire> wire_;
};

/// A stream whose other end is a wire that the test holds.
inline stream open_scripted(std::shared_ptr<scripted_wire> wire) {
  return stream{stream_device_ptr{new scripted_device{std::move(wire)}}};
}

}  // namespace troupe::io
