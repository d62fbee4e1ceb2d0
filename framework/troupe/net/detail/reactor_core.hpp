#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <troupe/base/intrusive_list.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/pal/mutex.hpp>

namespace troupe::net::detail {

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
  reactor_core() : guard_{context_.get_executor()} {}

  boost::asio::io_context& context() noexcept { return context_; }

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

  // Set by reactor::interrupt(), taken by reactor::wait().
  pal::atomic<bool> interrupted{false};

private:
  // One thread at a time runs the context, but not always the same one: 1 saves Asio its signals to
  // other threads and keeps its locks.
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;

  pal::mutex mutex_;
  intrusive_list<intake> intakes_;
  bool intake_stopped_ = false;
};

}  // namespace troupe::net::detail
