#include <troupe/observe/stack_trace.hpp>

#include <cxxabi.h>
#include <dlfcn.h>
#include <unwind.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>

#include <troupe/pal/atomic.hpp>
#include <troupe/pal/clock.hpp>
#include <troupe/pal/parker.hpp>

// libbacktrace reads the debug information of this program. It comes with every GCC, in whose own
// folder its header lies, so these are its declarations.
extern "C" {
struct backtrace_state;
using backtrace_error_callback = void (*)(void* data, const char* text, int number);
using backtrace_full_callback = int (*)(void* data, std::uintptr_t pc, const char* file, int line,
                                        const char* function);
backtrace_state* backtrace_create_state(const char* file, int threaded,
                                        backtrace_error_callback error, void* data);
int backtrace_pcinfo(backtrace_state* state, std::uintptr_t pc, backtrace_full_callback callback,
                     backtrace_error_callback error, void* data);
}

namespace troupe::inline v0_1 {

namespace {

constexpr std::size_t max_frames = 64;
constexpr auto patience = std::chrono::milliseconds{50};

/// What the looking thread and the one that is looked at share. It is static: an answer may come
/// when nobody waits for it any more.
///
///   state      means                          changed by
///   idle       nobody looks                   look -> taken
///   taken      a looker prepares              ask -> asked; look, at its end -> idle
///   asked      the target may answer          answer -> answering; ask, too late -> taken
///   answering  the target writes frames       answer -> answered
///   answered   the frames may be read         look, at its end -> idle
struct exchange_place {
  enum : int { idle, taken, asked, answering, answered };
  pal::atomic<int> state{idle};
  pal::atomic<pal::thread_id> target{};
  std::array<std::uintptr_t, max_frames> frames{};
  std::size_t count = 0;
  pal::parker done;
};

exchange_place shared;
struct sigaction former{};

_Unwind_Reason_Code add_frame(_Unwind_Context* at, void*) {
  if (shared.count == max_frames) return _URC_END_OF_STACK;
  std::uintptr_t pc = _Unwind_GetIP(at);
  if (pc == 0) return _URC_END_OF_STACK;
  shared.frames[shared.count++] = pc - 1;  // Inside of the call, not behind it.
  return _URC_NO_REASON;
}

void pass_on(int number, siginfo_t* info, void* context) {
  if ((former.sa_flags & SA_SIGINFO) != 0) {
    former.sa_sigaction(number, info, context);
  } else if (former.sa_handler != SIG_DFL && former.sa_handler != SIG_IGN) {
    former.sa_handler(number);
  }
}

// Nothing in here allocates or takes a lock: the unwinder of GCC 12 finds its tables without one.
void answer(int number, siginfo_t* info, void* context) {
  int saved = errno;
  bool is_mine = pthread_equal(shared.target.load(std::memory_order_relaxed), pthread_self()) != 0;
  int expected = exchange_place::asked;
  if (is_mine && shared.state.compare_exchange_strong(expected, exchange_place::answering,
                                                      std::memory_order_acquire)) {  // <- ask
    shared.count = 0;
    _Unwind_Backtrace(&add_frame, nullptr);
    shared.state.store(exchange_place::answered, std::memory_order_release);  // -> ask
    shared.done.unpark();
  } else {
    pass_on(number, info, context);
  }
  errno = saved;
}

// Returns: whether the thread has answered.
bool ask(pal::thread_id at) {
  shared.target.store(at, std::memory_order_relaxed);
  shared.state.store(exchange_place::asked, std::memory_order_release);  // -> answer
  bool was_sent = pthread_kill(at, SIGURG) == 0;
  time_point deadline = pal::real_clock().now() + patience;
  for (;;) {
    int seen = shared.state.load(std::memory_order_acquire);  // <- answer
    if (seen == exchange_place::answered) return true;
    bool is_over = !was_sent || pal::real_clock().now() >= deadline;
    if (is_over && seen == exchange_place::asked &&
        shared.state.compare_exchange_strong(seen, exchange_place::taken,
                                             std::memory_order_relaxed)) {
      return false;
    }
    shared.done.park(pal::real_clock().now() + patience);
  }
}

void no_debug_information(void*, const char*, int) {}

backtrace_state* symbols() {
  static backtrace_state* made = backtrace_create_state(nullptr, 1, &no_debug_information, nullptr);
  return made;
}

std::string demangled(const char* name) {
  int status = 0;
  std::unique_ptr<char, void (*)(void*)> text{abi::__cxa_demangle(name, nullptr, nullptr, &status),
                                              &std::free};
  return status == 0 ? text.get() : name;
}

// Several calls may be inlined into one place: the innermost comes first.
int add_call(void* to, std::uintptr_t, const char* file, int line, const char* function) {
  if (file == nullptr && function == nullptr) return 0;
  auto& calls = *static_cast<std::vector<stack_frame>*>(to);
  calls.push_back(
      {function == nullptr ? "" : demangled(function), file == nullptr ? "" : file, line});
  return 0;
}

void add_calls(std::vector<stack_frame>& calls, std::uintptr_t pc) {
  std::size_t before = calls.size();
  if (symbols() != nullptr) {
    backtrace_pcinfo(symbols(), pc, &add_call, &no_debug_information, &calls);
  }
  if (calls.size() > before) return;
  Dl_info found{};
  if (dladdr(reinterpret_cast<void*>(pc), &found) == 0) return;
  if (found.dli_sname != nullptr) calls.push_back({demangled(found.dli_sname), "", 0});
}

}  // namespace

stack_looker::stack_looker() {
  static const bool is_installed = [] {
    struct sigaction action{};
    action.sa_sigaction = &answer;
    action.sa_flags = SA_RESTART | SA_SIGINFO;
    sigemptyset(&action.sa_mask);
    return sigaction(SIGURG, &action, &former) == 0;
  }();
  (void)is_installed;
}

std::vector<stack_frame> stack_looker::look(pal::thread_id at) const {
  int expected = exchange_place::idle;
  if (!shared.state.compare_exchange_strong(expected, exchange_place::taken,
                                            std::memory_order_acquire)) {  // <- its end
    return {};
  }
  std::vector<stack_frame> calls;
  struct leave {
    ~leave() { shared.state.store(exchange_place::idle, std::memory_order_release); }  // -> look
  } last;
  if (ask(at)) {
    for (std::uintptr_t pc : std::span{shared.frames}.first(shared.count)) add_calls(calls, pc);
  }
  return calls;
}

}  // namespace troupe::inline v0_1
