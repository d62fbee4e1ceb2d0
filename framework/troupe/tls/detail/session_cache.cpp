#include <troupe/tls/detail/session_cache.hpp>

#include <algorithm>
#include <utility>

namespace troupe::inline v0_1::tls::detail {

void session_cache::put(const std::string& host, session_ptr session) {
  std::list<entry> fresh;
  fresh.push_back(entry{host, std::move(session)});
  std::list<entry> old;  // Freed outside the lock.
  pal::lock guard{mutex_};
  auto found = std::find_if(newest_first_.begin(), newest_first_.end(),
                            [&host](const entry& each) { return each.host == host; });
  if (found != newest_first_.end()) {
    old.splice(old.begin(), newest_first_, found);
  } else if (newest_first_.size() == max_hosts) {
    old.splice(old.begin(), newest_first_, std::prev(newest_first_.end()));
  }
  newest_first_.splice(newest_first_.begin(), fresh);
  guard.unlock();
}

session_ptr session_cache::take(const std::string& host) noexcept {
  std::list<entry> used;
  pal::lock guard{mutex_};
  auto found = std::find_if(newest_first_.begin(), newest_first_.end(),
                            [&host](const entry& each) { return each.host == host; });
  if (found == newest_first_.end()) return nullptr;
  if (SSL_SESSION_get_protocol_version(found->session.get()) < TLS1_3_VERSION) {
    SSL_SESSION_up_ref(found->session.get());
    return session_ptr{found->session.get()};
  }
  used.splice(used.begin(), newest_first_, found);
  guard.unlock();
  return std::move(used.front().session);
}

}  // namespace troupe::inline v0_1::tls::detail
