#include <troupe/actor/exit_reason.hpp>

#include <troupe/task/failure.hpp>

namespace troupe::inline v0_1 {

std::string_view to_string(exit_kind kind) noexcept {
  switch (kind) {
    case exit_kind::stopped:
      return "stopped";
    case exit_kind::unreachable:
      return "unreachable";
    case exit_kind::restarted:
      return "restarted by its supervisor";
    case exit_kind::failed:
      return "failed";
    case exit_kind::killed:
      return "killed";
    case exit_kind::abandoned:
      return "its runtime has ended";
    case exit_kind::unknown:
      break;
  }
  return "it had ended before";
}

std::string to_string(const exit_reason& reason) {
  std::string text{to_string(reason.kind)};
  if (reason.kind == exit_kind::failed && reason.error) text += ": " + describe(reason.error);
  return text;
}

}  // namespace troupe::inline v0_1
