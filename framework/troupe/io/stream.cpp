#include <troupe/io/stream.hpp>

#include <new>

#include <troupe/io/detail/scratch.hpp>
#include <troupe/io/detail/whole_write.hpp>

namespace troupe::inline v0_1::io {

namespace detail {

attempt<std::size_t> read_operation::attempt_once() noexcept {
  attempt<std::size_t> taken = device_->try_read(into_);
  if (taken && taken->has_value()) device_->reading.count(**taken);
  return taken;
}

attempt<std::size_t> write_operation::attempt_once() noexcept {
  if (device_->writing.interrupted) return make_error_code(errc::closed);
  if (from_.empty()) return std::size_t{0};
  attempt<std::size_t> sent = device_->try_write(from_);
  if (sent && sent->has_value()) device_->writing.count(**sent);
  return sent;
}

namespace {

/// Takes what is there through the thread's scratch buffer.
class scratch_read final : public reading_operation<scratch_read, std::size_t> {
public:
  static constexpr const char* name = "the end of a stream";

  /// Appends to `into`, if it is not null, as long as that holds at most `max_bytes`.
  scratch_read(stream_device& device, std::string* into, std::size_t max_bytes) noexcept
      : reading_operation{device}, into_{into}, max_bytes_{max_bytes} {}

  attempt<std::size_t> attempt_once() noexcept {
    try {
      std::span<std::byte> buffer = scratch();
      attempt<std::size_t> taken = device_->try_read(buffer);
      if (!taken || !taken->has_value()) return taken;
      device_->reading.count(**taken);
      if (into_ != nullptr) {
        if (**taken > max_bytes_ - into_->size()) return make_error_code(errc::too_long);
        into_->append(reinterpret_cast<const char*>(buffer.data()), **taken);
      }
      return taken;
    } catch (const std::bad_alloc&) {
      return make_error_code(boost::system::errc::not_enough_memory);
    }
  }

private:
  std::string* into_;
  std::size_t max_bytes_;
};

}  // namespace
}  // namespace detail

task<> stream::write_all(std::span<const std::byte> from) {
  stream_device& to = device();
  detail::whole_write whole{to.writing};
  while (!from.empty()) {
    detail::write_operation part{to, from};
    from = from.subspan(co_await part);
  }
  whole.finish();
}

task<> stream::read_exactly(std::span<std::byte> into) {
  stream_device& of = device();
  while (!into.empty()) {
    detail::read_operation part{of, into};
    std::size_t count = co_await part;
    if (count == 0) throw_error(make_error_code(errc::end_of_stream));
    into = into.subspan(count);
  }
}

task<std::string> stream::read_to_end(std::size_t max_bytes) {
  std::string all;
  for (;;) {
    detail::scratch_read part{device(), &all, max_bytes};
    if (co_await part == 0) co_return all;
  }
}

task<std::uint64_t> stream::discard_to_end() {
  std::uint64_t total = 0;
  for (;;) {
    detail::scratch_read part{device(), nullptr, 0};
    std::size_t count = co_await part;
    if (count == 0) co_return total;
    total += count;
  }
}

}  // namespace troupe::inline v0_1::io
