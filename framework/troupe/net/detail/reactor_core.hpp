#pragma once

#include <memory>
#include <utility>

#include <boost/asio/io_context.hpp>

#include <troupe/base/intrusive_list.hpp>
#include <troupe/net/detail/poller.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/pal/mutex.hpp>

namespace troupe::inline v0_1::net::detail {

/// What takes in new work, and is told when that ends.
class intake : public list_link {
public:
  /// Called once, under the lock of the core, by whoever begins the stop. Must not block.
  virtual void stop_intake() noexcept = 0;

protected:
  ~intake() = default;
};

/// The part of a reactor that its sockets share and keep alive.
class reactor_core {
public:
  reactor_core() = default;
  ~reactor_core();

  [[nodiscard]] poller& events() noexcept { return events_; }

  /// The io_context for what is made of Asio. From the first call on it is run as well.
  /// Errors: system_error when the system is out of descriptors. Threads: any.
  boost::asio::io_context& context();
  [[nodiscard]] bool context_in_use() const noexcept {
    return context_in_use_.load(std::memory_order_acquire);  // <- context
  }

  /// Hands over a copy of the epoll set's descriptor, once, for Asio to watch. Requires:
  /// context_in_use().
  [[nodiscard]] int take_events_fd() noexcept { return std::exchange(events_fd_, -1); }

  /// Keeps a released descriptor's object until the next free_retired(). Threads: any.
  void retire(watched_fd& released) noexcept;
  /// Frees them. Called between two waits, by the thread that runs the reactor: no event that names
  /// one of them is in anybody's hands then, and none will come.
  void free_retired() noexcept;

  /// Enters what takes in work; if intake has been stopped already, tells it at once.
  void add(intake& source) {
    pal::lock guard{mutex_};
    intakes_.push_back(source);
    if (intake_stopped_) source.stop_intake();
  }
  void remove(intake& source) noexcept {
    pal::lock guard{mutex_};
    intrusive_list<intake>::erase(source);
  }
  void stop_intake() noexcept {
    pal::lock guard{mutex_};
    intake_stopped_ = true;
    intakes_.for_each([](intake& each) { each.stop_intake(); });
  }

private:
  poller events_;
  pal::atomic<watched_fd*> retired_{nullptr};

  pal::mutex mutex_;
  intrusive_list<intake> intakes_;
  bool intake_stopped_ = false;

  // One thread at a time runs the context, but not always the same one: 1 saves Asio its signals to
  // other threads and keeps its locks.
  boost::asio::io_context context_{1};
  pal::atomic<bool> context_in_use_{false};
  int events_fd_ = -1;  // Made by who sets context_in_use_, then left to the driver.
};

}  // namespace troupe::inline v0_1::net::detail
