// Readiness of descriptors: framework/troupe/net/detail/poller.hpp (wait_slot), reactor_core.cpp
// and asio_wait.hpp, docs/protocols/readiness.md.
//
// A socket here is a number of bytes under a lock, which orders as the kernel does; whoever adds
// some fires then, as the reactor does for an edge. The epoll set of `retired` is a real one.
//
// Not seen: plain members of the reactor, as the descriptor that context() hands over.

#include <model/model.hpp>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include <sys/eventfd.h>

#include <model/tasks.hpp>

#include <troupe/base/result.cpp>
#include <troupe/net/detail/asio_wait.hpp>
#include <troupe/net/detail/poller.cpp>
#include <troupe/net/detail/reactor_core.cpp>
#include <troupe/net/detail/try_call.hpp>
#include <troupe/net/detail/watched_fd.cpp>

namespace troupe::model {

namespace {

using detail::task_core;
using net::detail::asio_wait;
using net::detail::wait_slot;

// One direction of a socket.
class socket {
public:
  static constexpr std::size_t most = 2;  // Of a read.

  void put(std::size_t count) {
    {
      pal::lock guard{kernel_};
      bytes_ += count;
    }
    slot.fire(false);
  }
  void end() {
    {
      pal::lock guard{kernel_};
      has_ended_ = true;
    }
    slot.fire(true);
  }

  io::attempt<std::size_t> try_read() noexcept {
    auto may_have_more = [](std::size_t taken) { return taken == 0 || taken == most; };
    return net::detail::try_call(slot, [this] { return recv(); }, may_have_more);
  }

  wait_slot slot;

private:
  ssize_t recv() {
    pal::lock guard{kernel_};
    if (bytes_ == 0 && !has_ended_) {
      guard.unlock();
      errno = EAGAIN;  // After the last step of the model: other threads have an errno too.
      return -1;
    }
    std::size_t taken = std::min(bytes_, most);
    bytes_ -= taken;
    return static_cast<ssize_t>(taken);
  }

  pal::mutex kernel_;
  std::size_t bytes_ = 0;
  bool has_ended_ = false;
};

// Reads what comes; is over too when nobody may wait any more.
class read_operation {
public:
  static constexpr const char* name = "a model";

  explicit read_operation(socket& from) noexcept : from_{&from} {}

  bool poll() noexcept {
    if (from_->slot.is_closed()) return true;
    auto taken = from_->try_read();
    if (!taken) return false;
    taken_ = **taken;
    return true;
  }
  bool enlist(waker key) noexcept { return from_->slot.enlist(key); }
  void delist() noexcept { from_->slot.delist(); }
  std::size_t take() noexcept { return taken_; }

private:
  socket* from_;
  std::size_t taken_ = 0;
};

// Bytes come one after another while a task reads.
struct bytes : scenario<bytes, 2> {
  static constexpr const char* name = "bytes";

  tasks all;
  socket peer;
  std::size_t total = 0;

  static task<> body(bytes& in) {
    while (in.total < 4) {
      read_operation read{in.peer};
      in.total += co_await read;
    }
  }

  void before() { all.start_on_thread(0, &body, std::ref(*this)).detach(); }
  void thread(unsigned index) {
    tasks::work_here();
    if (index == 1) {
      for (std::size_t count : {1u, 2u, 1u}) {
        peer.put(count);
        all.run_ready();
      }
    }
    all.run_ready();
  }
  void after() {
    check(total == 4, "who waits is told of all that comes");
    check(all.alive() == 0, "each task ends");
  }
};

// The peer sends, and ends.
struct end : scenario<end, 2> {
  static constexpr const char* name = "end";

  tasks all;
  socket peer;
  std::size_t total = 0;
  bool has_seen_end = false;

  static task<> body(end& in) {
    while (!in.has_seen_end) {
      read_operation read{in.peer};
      std::size_t taken = co_await read;
      in.total += taken;
      in.has_seen_end = taken == 0;
    }
    read_operation once_more{in.peer};
    check(co_await once_more == 0, "the end stays");
  }

  void before() { all.start_on_thread(0, &body, std::ref(*this)).detach(); }
  void thread(unsigned index) {
    tasks::work_here();
    if (index == 1) {
      peer.put(1);
      peer.end();
    }
    all.run_ready();
  }
  void after() {
    check(total == 1 && has_seen_end, "the end is told of, behind what came before");
    check(all.alive() == 0, "each task ends");
  }
};

// A thread closes the direction that a task waits for, while something comes.
struct closing : scenario<closing, 3> {
  static constexpr const char* name = "closing";

  tasks all;
  socket peer;
  bool is_over = false;

  static task<> body(closing& in) {
    while (!in.peer.slot.is_closed()) {
      read_operation read{in.peer};
      co_await read;
    }
    in.is_over = true;
  }

  void before() { all.start_on_thread(0, &body, std::ref(*this)).detach(); }
  void thread(unsigned index) {
    tasks::work_here();
    if (index == 1) peer.put(1);
    if (index == 2) peer.slot.close();
    all.run_ready();
  }
  void after() {
    check(is_over, "nobody waits for what is closed");
    check(all.alive() == 0, "each task ends");
  }
};

// Two tasks give their descriptors up while the reactor looks for events.
struct retired : scenario<retired, 3> {
  static constexpr const char* name = "retired";

  // Ready at any time.
  class watched final : public net::detail::watched_fd {
  public:
    watched(std::shared_ptr<net::detail::reactor_core> core, int& alive)
        : watched_fd{std::move(core), ::eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC)}, alive_{&alive} {
      begin_events();
      ++*alive_;
    }
    ~watched() override { --*alive_; }
    void on_event(std::uint32_t) noexcept override { slot.fire(false); }
    void give_up() noexcept { release(); }

    wait_slot slot;

  private:
    int* alive_;
  };

  std::shared_ptr<net::detail::reactor_core> core = std::make_shared<net::detail::reactor_core>();
  std::array<watched*, 2> descriptors{};
  int alive = 0;

  void before() {
    for (auto& each : descriptors) each = new watched{core, alive};
  }
  void thread(unsigned index) {
    if (index < 2) {
      descriptors[index]->slot.delist();
      descriptors[index]->give_up();
      return;
    }
    for (int i = 0; i < 3; ++i) {
      core->free_retired();
      core->events().poll();
    }
  }
  void after() {
    core.reset();
    check(alive == 0, "each descriptor is freed");
  }
};

// An Asio operation, whose handler runs on another thread; its task has waited before. It may be
// cancelled, and the handler that does that may come last.
struct asio : scenario<asio, 3> {
  static constexpr const char* name = "asio";

  struct wait : asio_wait {
    plain<int> arguments{0};
    plain<int> cancellation{0};
  };
  using reference = net::detail::wait_ref<wait>;

  // Of handlers that were posted: one at most.
  struct post_box {
    pal::mutex mutex;
    reference handler;

    void put(reference given) {
      pal::lock guard{mutex};
      handler = std::move(given);
    }
    reference take() {
      pal::lock guard{mutex};
      return std::exchange(handler, reference{});
    }
  };

  // What asio_operation does.
  class operation {
  public:
    static constexpr const char* name = "a model";

    operation(reference of, asio& in) noexcept : wait_{std::move(of)}, in_{&in} {}
    void stop() noexcept {
      if (!wait_->expect_one_more()) return;
      wait_->cancellation.write(1);
      in_->posted.put(wait_);
    }
    bool poll() noexcept { return wait_->is_over(); }
    bool enlist(waker key) noexcept {
      in_->has_begun = true;
      return is_enlisted_ = wait_->enlist(key);
    }
    void delist() noexcept {
      if (std::exchange(is_enlisted_, false)) wait_->delist();
    }
    void take() noexcept {
      check(wait_->arguments.read() == 1, "what the handler has left is seen");
      check(wait_->cancellation.read() != 1, "no handler is left");
    }

  private:
    reference wait_;
    asio* in_;
    bool is_enlisted_ = false;
  };
  struct first_wait {
    static constexpr const char* name = "a model";
    bool has_looked = false;
    bool poll() noexcept { return std::exchange(has_looked, true); }
    bool enlist(waker key) noexcept { return !key.wake(); }
    void delist() noexcept {}
    void take() noexcept {}
    [[nodiscard]] bool shielded() const noexcept { return true; }
    void stop() noexcept {}
  };

  tasks all;
  reference begun;  // The handler's.
  reference for_task;
  post_box posted;  // The cancellation's.
  task_core* waiting = nullptr;
  bool stops = false;
  bool is_late = false;  // The handler: mostly it would run before the wait begins.
  bool has_begun = false;
  bool is_over = false;

  static task<> body(asio& in) {
    first_wait first;
    co_await first;
    operation waited{std::exchange(in.for_task, reference{}), in};
    co_await waited;
    in.is_over = true;
  }

  void before() {
    begun = reference{new wait};
    for_task = begun;
    stops = choose(2) != 0;
    is_late = choose(4) != 0;
    waiting = &all.start_on_thread(0, &body, std::ref(*this));
  }
  void await_begin() const {
    while (!has_begun && !is_over) give_way();
  }
  void run_posted() {
    reference handler = posted.take();
    if (!handler) return;
    handler->cancellation.write(2);
    handler->arrive();
  }
  void thread(unsigned index) {
    tasks::work_here();
    if (index == 1) {
      if (is_late) await_begin();
      reference handler = std::exchange(begun, reference{});
      handler->arguments.write(1);
      handler->arrive();
    }
    if (index == 2 && stops) {
      await_begin();  // Before that it would stop another wait.
      waiting->request_stop();
    }
    all.run_ready();
    run_posted();
    all.run_ready();
  }
  void after() {
    check(is_over, "the last handler wakes");
    waiting->detach();
    check(all.alive() == 0, "each task ends");
  }
};

}  // namespace

}  // namespace troupe::model

int main(int argc, char** argv) {
  using namespace troupe::model;
  return run<bytes, end, closing, retired, asio>("readiness", argc, argv);
}
