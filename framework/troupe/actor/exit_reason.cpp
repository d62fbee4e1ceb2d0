#include <troupe/actor/exit_reason.hpp>

#include <troupe/task/failure.hpp>

namespace troupe {

std::string to_string(const exit_reason& reason) {
  switch (reason.why) {
    case exit_reason::kind::stopped:
      return "stopped";
    case exit_reason::kind::unreachable:
      return "unreachable";
    case exit_reason::kind::failed:
      return "failed: " + describe(reason.error);
    case exit_reason::kind::killed:
      return "killed";
    case exit_reason::kind::shut_down:
      return "shut down";
  }
  return "unknown";
}

}  // namespace troupe
