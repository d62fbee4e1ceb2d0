#include <troupe/node/detail/remote_actor.hpp>

namespace troupe::inline v0_1::detail {

void remote_actor::on(remote_news news) {
  switch (news.is) {
    case remote_news::kind::link_lost:
    case remote_news::kind::restarts:
      return self().announce_restart(std::move(news.why));
    case remote_news::kind::ended:
      if (news.why != nullptr) self().fail(news.why);
      return self().stop();
  }
}

remote_actor::~remote_actor() {
  if (current_actor() == nullptr) return;  // With the runtime.
  exit_kind how = self().ending();
  if (how == exit_kind::stopped || how == exit_kind::killed) target_->end(how == exit_kind::killed);
}

std::string remote_actor::too_large(const char* message, std::size_t size_bytes) const {
  return fmt::format("{} for {} has {} bytes, and at most {} may travel", message, target_->title(),
                     size_bytes, target_->max_message_bytes());
}

}  // namespace troupe::inline v0_1::detail
