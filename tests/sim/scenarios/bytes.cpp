// Streams over pipes of little room, which take and give what the seed likes: writes that are cut
// short, ends in the middle, limits, and the readers of lines and frames.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <troupe/io/stream.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/task/spawn.hpp>

#include "families.hpp"

namespace troupe::scenarios {

using namespace std::chrono_literals;

namespace {

// One direction: bytes on their way.
struct pipe {
  std::deque<std::byte> held;
  std::size_t room = 0;
  bool has_end = false;  // Nothing more will come.
  bool is_gone = false;  // Nobody reads any more.
  waker reader, writer{};
};

class pipe_device final : public io::stream_device {
public:
  pipe_device(scene& here, std::shared_ptr<pipe> in, std::shared_ptr<pipe> out)
      : here_{here}, in_{std::move(in)}, out_{std::move(out)} {}

  io::attempt<std::size_t> try_read(std::span<std::byte> into) noexcept override {
    if (in_->held.empty()) {
      if (in_->has_end) return std::size_t{0};
      return std::nullopt;
    }
    std::size_t count = 1 + here_.below(std::min(into.size(), in_->held.size()));
    auto last = in_->held.begin() + static_cast<std::ptrdiff_t>(count);
    std::copy(in_->held.begin(), last, into.begin());
    in_->held.erase(in_->held.begin(), last);
    in_->writer.wake();
    return count;
  }
  io::attempt<std::size_t> try_write(std::span<const std::byte> from) noexcept override {
    if (out_->is_gone) return make_error_code(boost::system::errc::broken_pipe);
    std::size_t left = out_->room - out_->held.size();
    if (left == 0) return std::nullopt;
    std::size_t count = 1 + here_.below(std::min(from.size(), left));
    out_->held.insert(out_->held.end(), from.begin(),
                      from.begin() + static_cast<std::ptrdiff_t>(count));
    out_->reader.wake();
    return count;
  }
  io::attempt<void> try_shutdown() noexcept override {
    out_->has_end = true;
    out_->reader.wake();
    return result<void>{};
  }
  bool enlist_read(waker key) noexcept override {
    in_->reader = key;
    return in_->held.empty() && !in_->has_end;
  }
  void delist_read() noexcept override { in_->reader = waker{}; }
  bool enlist_write(waker key) noexcept override {
    out_->writer = key;
    return !out_->is_gone && out_->held.size() == out_->room;
  }
  void delist_write() noexcept override { out_->writer = waker{}; }
  std::string local_address() const override { return {}; }
  std::string peer_address() const override { return {}; }
  void close() noexcept override {
    (void)try_shutdown();
    in_->is_gone = true;
    in_->writer.wake();
    delete this;
  }

private:
  ~pipe_device() = default;

  scene& here_;
  const std::shared_ptr<pipe> in_, out_;
  alive counted_;
};

struct state {
  explicit state(scene& in)
      : here{in},
        wires(in.between(1, 4)),
        rounds(in.between(1, 40)),
        most(in.between(1, 300)),
        pause_percent(in.between(0, 60)) {}

  scene& here;
  const std::size_t wires, rounds, most;
  const std::uint64_t pause_percent;
};

// What went through one direction.
struct way {
  std::size_t number = 0;
  std::uint64_t sent = 0;
  bool has_end = false;  // After `sent` bytes.
};

// The byte at a place: with one left out or said twice, the rest is wrong too.
std::byte byte_at(const way& of, std::uint64_t place) {
  std::uint64_t mixed = (place + 1) * 0x9e3779b97f4a7c15U + of.number;
  return static_cast<std::byte>((mixed >> 40U) & 0xffU);
}

void check_bytes(state& in, const way& of, std::uint64_t from, std::span<const std::byte> got) {
  for (std::size_t i = 0; i < got.size(); ++i) {
    bool is_right = got[i] == byte_at(of, from + i);
    in.here.check(is_right, "byte {} of stream {} comes wrong", from + i, of.number);
    if (!is_right) return;
  }
}

// Returns: whether all went out.
task<bool> write_piece(state& in, io::stream& to, way& of) {
  std::vector<std::byte> piece(in.here.between(1, in.most));
  for (std::size_t i = 0; i < piece.size(); ++i) piece[i] = byte_at(of, to.bytes_written() + i);
  std::uint64_t before = to.bytes_written();
  if (in.here.percent(20)) {
    std::size_t count = co_await to.write_some(piece);
    in.here.check(to.bytes_written() == before + count, "{} bytes are written, {} are told",
                  to.bytes_written() - before, count);
    co_return true;
  }
  if (in.here.percent(20)) {
    auto limit = in.here.some_time();
    auto got = co_await timeout(limit, to.write_all(piece)).as_result();
    std::uint64_t count = to.bytes_written() - before;
    bool is_whole = got || count == 0 || count == piece.size();
    if (!is_whole) {
      auto late = co_await to.write_some(piece).as_result();
      in.here.check(!late, "stream {} is written to after half a write", of.number);
    }
    co_return is_whole;
  }
  co_await to.write_all(piece);
  in.here.check(to.bytes_written() == before + piece.size(), "{} bytes of {} are written",
                to.bytes_written() - before, piece.size());
  co_return true;
}

task<> write_many(state& in, io::stream& to, way& of) {
  alive frame;
  bool goes_on = true;
  for (std::size_t i = 0; goes_on && i < in.rounds; ++i) {
    goes_on = co_await write_piece(in, to, of);
    if (in.here.percent(in.pause_percent)) co_await sleep_for(in.here.some_time());
  }
  co_await to.shutdown();
  of.sent = to.bytes_written();
  of.has_end = true;
}

void check_end(state& in, const way& of, std::uint64_t read) {
  in.here.check(of.has_end && read == of.sent, "stream {} ends after {} bytes, {} were written",
                of.number, read, of.sent);
}

// Returns: false at the end.
task<bool> read_piece(state& in, io::stream& from, const way& of) {
  // None of what is filled in before is right where it stays.
  std::vector<std::byte> into(in.here.between(1, in.most));
  std::uint64_t before = from.bytes_read();
  for (std::size_t i = 0; i < into.size(); ++i) into[i] = ~byte_at(of, before + i);
  switch (in.here.below(3)) {
    case 0: {
      bool is_whole = false;
      try {
        co_await from.read_exactly(into);
        is_whole = true;
      } catch (const system_error& error) {
        in.here.check(error.code() == errc::end_of_stream, "a read fails with {}", error.what());
      }
      if (is_whole) {
        check_bytes(in, of, before, into);
      } else {
        check_end(in, of, from.bytes_read());
      }
      co_return is_whole;
    }
    case 1: {
      auto limit = in.here.some_time();
      auto got = co_await timeout(limit, from.read_some(into)).as_result();
      if (!got) {
        in.here.check(from.bytes_read() == before, "{} bytes are lost in a read that was left",
                      from.bytes_read() - before);
        co_return true;
      }
      check_bytes(in, of, before, std::span{into}.first(*got));
      co_return *got > 0;
    }
    default: {
      std::size_t count = co_await from.read_some(into);
      check_bytes(in, of, before, std::span{into}.first(count));
      co_return count > 0;
    }
  }
}

task<> read_many(state& in, io::stream& from, const way& of) {
  alive frame;
  for (bool goes_on = true; goes_on;) {
    if (in.here.percent(2)) {
      std::uint64_t before = from.bytes_read();
      auto all = co_await from.read_to_end(SIZE_MAX);
      check_bytes(in, of, before, std::as_bytes(std::span{all}));
      goes_on = false;
    } else {
      goes_on = co_await read_piece(in, from, of);
    }
    if (in.here.percent(in.pause_percent)) co_await sleep_for(in.here.some_time());
  }
  check_end(in, of, from.bytes_read());
}

// Both directions of one wire at once.
task<> talk(state& in, io::stream& mine, way& out, const way& back) {
  auto writing = spawn(write_many, std::ref(in), std::ref(mine), std::ref(out));
  co_await read_many(in, mine, back);
  co_await writing;
}

struct wire {
  wire(scene& here, std::size_t number)
      : there{std::make_shared<pipe>()},
        back{std::make_shared<pipe>()},
        left{io::stream_device_ptr{new pipe_device{here, back, there}}},
        right{io::stream_device_ptr{new pipe_device{here, there, back}}} {
    there->room = here.between(1, 64);
    back->room = here.between(1, 64);
    ways[0].number = 2 * number;
    ways[1].number = 2 * number + 1;
  }

  std::shared_ptr<pipe> there, back;
  io::stream left, right;
  way ways[2];
};

task<> program(state& in) {
  alive frame;
  std::deque<wire> wires;
  std::vector<join_handle<void>> all;
  for (std::size_t i = 0; i < in.wires; ++i) {
    wire& made = wires.emplace_back(in.here, i);
    all.push_back(spawn(talk, std::ref(in), std::ref(made.left), std::ref(made.ways[0]),
                        std::ref(made.ways[1])));
    all.push_back(spawn(talk, std::ref(in), std::ref(made.right), std::ref(made.ways[1]),
                        std::ref(made.ways[0])));
  }
  for (auto& each : all) co_await each;
}

}  // namespace

void play_bytes(scene& here) {
  auto& in = here.keep<state>(here);
  sim::node& node = here.add_node();
  node.start([&in]() -> task<> { return program(in); });
  here.run(1h);
  here.end_world();
}

}  // namespace troupe::scenarios
