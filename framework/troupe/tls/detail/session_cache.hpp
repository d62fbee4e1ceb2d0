#pragma once

#include <cstddef>
#include <list>
#include <string>

#include <troupe/pal/mutex.hpp>
#include <troupe/tls/detail/openssl.hpp>

namespace troupe::inline v0_1::tls::detail {

/// The last session of each host, for a client to resume; those not used for longest go first.
/// Threads: any.
class session_cache {
public:
  void put(const std::string& host, session_ptr session);

  /// Returns: a session to resume; null when there is none. One of TLS 1.3 is used once only, so
  /// that an observer cannot tell that two connections come from the same client.
  [[nodiscard]] session_ptr take(const std::string& host) noexcept;

private:
  static constexpr std::size_t max_hosts = 256;

  struct entry {
    std::string host;
    session_ptr session;
  };

  pal::mutex mutex_;
  std::list<entry> newest_first_;
};

}  // namespace troupe::inline v0_1::tls::detail
