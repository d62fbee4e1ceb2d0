#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <troupe/node/errors.hpp>
#include <troupe/pal/clock.hpp>
#include <troupe/tls/context.hpp>

namespace troupe::inline v0_1 {

/// Both nodes of a link show a certificate.
struct node_tls {
  tls::identity self;  ///< Used as a server and as a client.
  tls::pem trusted;    ///< The authority, or authorities, that have signed those of the others.
  /// The name that the certificate of a node has to be for. Empty: the host that was connected to.
  std::string server_name{};
  /// Subjects of the nodes that may connect here, as `CN=a,O=b`. Empty: all that are trusted.
  std::vector<std::string> clients{};
};

/// Who may listen to a link, or pose as a node. Without more a node talks only within its machine:
/// every address that is not loopback is refused.
class node_security {
public:
  node_security() = default;

  /// TLS on every link, with certificates on both sides. Not for addresses alone: also on loopback.
  [[nodiscard]] static node_security mutual_tls(node_tls with) {
    node_security made;
    made.tls_ = std::move(with);
    return made;
  }
  /// Plain links to everywhere: whoever reaches the port reads, changes and sends what he likes.
  [[nodiscard]] static node_security insecure_for_closed_networks() {
    node_security made;
    made.allows_plain_ = true;
    return made;
  }

  [[nodiscard]] const std::optional<node_tls>& tls() const noexcept { return tls_; }
  [[nodiscard]] bool allows_plain() const noexcept { return allows_plain_; }

private:
  std::optional<node_tls> tls_;
  bool allows_plain_ = false;
};

/// How a node is set up.
struct node_options {
  std::string name{};       ///< For texts. Empty: the host's name and the number of the process.
  std::string listen_on{};  ///< `127.0.0.1:7000`, port 0 chooses one; empty: nobody connects here.
  node_security security{};

  duration heartbeat = std::chrono::milliseconds{500};   ///< Between two signs of life.
  duration down_after = std::chrono::seconds{3};         ///< Without any, the link is lost.
  duration handshake_limit = std::chrono::seconds{5};    ///< For a connection to become a link.
  duration first_retry = std::chrono::milliseconds{50};  ///< After a loss; then twice as long,
  duration last_retry = std::chrono::seconds{2};         ///< up to this; each up to a half less.

  std::size_t max_message_bytes = 16 * 1024 * 1024;  ///< One message, or one answer.
  /// What may be on its way to one actor at another node: sent, and not yet in its mailbox. Beyond
  /// it senders wait.
  std::size_t window_bytes = 1024 * 1024;
  /// Answers and the like that a link keeps for a node that does not read. Beyond it is lost.
  std::size_t max_unsent_bytes = 64 * 1024 * 1024;
  std::size_t max_links = 1024;   ///< From other nodes, at once.
  std::size_t max_actors = 4096;  ///< That one link from another node uses at once.
};

}  // namespace troupe::inline v0_1
