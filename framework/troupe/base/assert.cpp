#include <troupe/base/assert.hpp>

#include <atomic>
#include <cstdio>
#include <cstdlib>

#include <troupe/base/log.hpp>

namespace troupe::inline v0_1 {

namespace {

void end_process(const char* text) {
  log(log_level::error, text);
  std::fflush(nullptr);
  std::_Exit(1);  // Other threads may be running: no static destructor may run under them.
}

std::atomic<misuse_handler> handler_in_force{&end_process};

}  // namespace

misuse_handler set_misuse_handler(misuse_handler handler) noexcept {
  return handler_in_force.exchange(handler == nullptr ? &end_process : handler);
}

void misuse(const char* text) {
  handler_in_force.load()(text);
  std::abort();  // A handler that returns has broken its contract.
}

namespace detail {

void assertion_failed(const char* file, int line, const char* condition) noexcept {
  std::fprintf(stderr, "%s:%d: broken invariant: %s\n", file, line, condition);
  std::abort();
}

}  // namespace detail

}  // namespace troupe::inline v0_1
