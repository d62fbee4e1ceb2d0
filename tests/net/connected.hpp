#pragma once

#include <utility>

#include <troupe/io/stream.hpp>
#include <troupe/net/tcp.hpp>
#include <troupe/runtime/runtime.hpp>

namespace troupe::net {

/// Two ends of one TCP connection on loopback.
struct connection {
  io::stream near;
  io::stream far;
};

inline task<connection> connect_pair() {
  io::listener listener = tcp_listen("127.0.0.1", 0);
  io::stream near = co_await tcp_connect("127.0.0.1", listener.port());
  io::stream far = co_await listener.accept();
  connection both{std::move(near), std::move(far)};
  co_return both;
}

struct two_workers {
  static runtime_config config() {
    runtime_config two;
    two.workers = 2;
    return two;
  }

  runtime rt{config()};
};

}  // namespace troupe::net
