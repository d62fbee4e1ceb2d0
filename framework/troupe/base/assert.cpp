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
std::atomic<const detail::turn_teller*> last_teller{nullptr};

}  // namespace

misuse_handler set_misuse_handler(misuse_handler handler) noexcept {
  return handler_in_force.exchange(handler == nullptr ? &end_process : handler);
}

void misuse(const char* text, std::source_location where) {
  std::string line;
  if (where.line() != 0) {
    detail::append_place(line, where);
    line += ": ";
  }
  line += text;
  detail::turn_teller::tell_all(line);
  handler_in_force.load()(line.c_str());
  std::abort();  // A handler that returns has broken its contract.
}

namespace detail {

turn_teller::turn_teller(function tell) noexcept : tell_{tell}, next_{last_teller.load()} {
  while (!last_teller.compare_exchange_weak(next_, this)) continue;
}

void turn_teller::tell_all(std::string& text) {
  for (const turn_teller* each = last_teller.load(); each != nullptr; each = each->next_) {
    each->tell_(text);
  }
}

void append_place(std::string& text, std::source_location where) {
  text += where.file_name();
  text += ':';
  text += std::to_string(where.line());
}

void assertion_failed(const char* file, int line, const char* condition) noexcept {
  std::fprintf(stderr, "%s:%d: broken invariant: %s\n", file, line, condition);
  std::abort();
}

}  // namespace detail

}  // namespace troupe::inline v0_1
