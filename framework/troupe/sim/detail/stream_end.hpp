#pragma once

#include <memory>
#include <string>
#include <utility>

#include <troupe/sim/detail/connection.hpp>

namespace troupe::inline v0_1::sim::detail {

/// One end of a simulated connection as the device of an io::stream.
class stream_end final : public io::connecting_device {
public:
  static stream_end& make(std::shared_ptr<connection> of, std::size_t side) {
    return *new stream_end{std::move(of), side};
  }

  [[nodiscard]] io::attempt<std::size_t> try_read(std::span<std::byte> into) noexcept override {
    return of_->read(side_, into);
  }
  [[nodiscard]] io::attempt<std::size_t> try_write(
      std::span<const std::byte> from) noexcept override {
    return of_->write(side_, from);
  }
  [[nodiscard]] io::attempt<void> try_shutdown() noexcept override { return of_->shut_down(side_); }
  [[nodiscard]] io::attempt<void> try_finish_connect() noexcept override {
    return of_->finish_call(side_);
  }

  [[nodiscard]] bool enlist_read(waker key) noexcept override {
    return of_->enlist_read(side_, key);
  }
  void delist_read() noexcept override { of_->at(side_).reader = waker{}; }
  [[nodiscard]] bool enlist_write(waker key) noexcept override {
    return of_->enlist_write(side_, key);
  }
  void delist_write() noexcept override { of_->at(side_).writer = waker{}; }

  [[nodiscard]] std::string local_address() const override { return of_->at(side_).local_text; }
  [[nodiscard]] std::string peer_address() const override { return of_->at(side_).peer_text; }
  void close() noexcept override {
    of_->close(side_);
    delete this;
  }

private:
  stream_end(std::shared_ptr<connection> of, std::size_t side) noexcept
      : of_{std::move(of)}, side_{side} {}
  ~stream_end() = default;

  std::shared_ptr<connection> of_;
  std::size_t side_;
};

}  // namespace troupe::inline v0_1::sim::detail
