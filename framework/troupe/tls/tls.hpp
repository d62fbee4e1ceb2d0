#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <troupe/io/stream.hpp>
#include <troupe/pal/clock.hpp>
#include <troupe/task/task.hpp>
#include <troupe/tls/context.hpp>

/// TLS 1.2 and 1.3 over any io::stream. What comes out is an io::stream again, so that whatever
/// reads and writes streams does so over TLS, unchanged.
///
/// Of such a stream:
///   - A read gives 0 only after the peer's own end (close_notify); an end without one is
///     errc::truncated, since somebody may have cut the connection.
///   - write_some() counts what has been encrypted. What the stream below does not take at once, at
///     most 64 KiB, is sent by a task of the library; the next write waits for it.
///   - shutdown() sends close_notify, then ends the direction of the stream below. Closing a stream
///     that was not shut down sends close_notify too, unless a write_all() was cut short; what is
///     on its way then has two seconds.
///   - A peer that sends 1 MiB of TLS without a byte of data is refused (errc::protocol).
///   - Keys are renewed where the peer asks for it; renegotiation is refused.
///
/// Threads: as every io::stream: one task reads while another one writes, on whatever workers.
/// Bounds:  an idle connection holds about 15 KiB, nearly all of it OpenSSL's state; the buffers of
///          records, 17 KiB each way, are there only while a record is on its way.
namespace troupe::inline v0_1::tls {

struct connect_options {
  duration handshake_limit = std::chrono::seconds{10};
};

/// Makes a TLS connection of `below`, as a client.
///
/// `host` is the name, or the numeric address, that the certificate of the server has to be for
/// (with verify_peer), and that the server is told (SNI, names only).
///
/// Requires: `with` was made of a client_config.
/// Errors:   system_error, whose text names the host and the reason: errc::certificate_refused,
///           not_tls, refused_by_peer, protocol, truncated; troupe::errc::timed_out when the limit
///           is over first; those of `below`. With TLS 1.3 a server that refuses our certificate
///           says so only to the first read.
/// Cancel:   the attempt is given up and `below` closed.
/// Example:
///     io::stream plain = co_await net::tcp_connect("127.0.0.1", 7000);
///     io::stream server = co_await tls::connect(std::move(plain), context, "example.org");
[[nodiscard]] task<io::stream> connect(io::stream below, context with, std::string host,
                                       connect_options options = connect_options{});

struct accept_options {
  duration handshake_limit = std::chrono::seconds{10};
};

/// Makes a TLS connection of `below`, as a server.
///
/// Requires: `with` was made of a server_config.
/// Errors:   as connect(); the text names the address of the peer. A client without TLS is told
///           from its first byte.
/// Cancel:   the attempt is given up and `below` closed.
/// Example:
///     io::stream peer = co_await listener.accept();
///     peer = co_await tls::accept(std::move(peer), context);
[[nodiscard]] task<io::stream> accept(io::stream below, context with,
                                      accept_options options = accept_options{});

/// What was agreed on.
struct info {
  std::string version;         ///< `TLSv1.3`
  std::string cipher;          ///< `TLS_AES_256_GCM_SHA384`
  std::string alpn;            ///< Empty: none was agreed on.
  std::string peer_subject;    ///< Of the peer's certificate, `CN=a,O=b`; empty: it has shown none.
  bool peer_verified = false;  ///< It has shown one, and we trust it.
  bool resumed = false;        ///< With the keys of an earlier connection.
};

/// Returns: nothing for a stream that is not TLS.
/// Threads: any task, also while operations are under way.
[[nodiscard]] std::optional<info> info_of(const io::stream& of);

}  // namespace troupe::inline v0_1::tls
