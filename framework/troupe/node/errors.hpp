#pragma once

#include <troupe/base/result.hpp>

namespace troupe::inline v0_1 {

/// What can go wrong between two nodes, beside the errors of requests (ask_errc), of TLS and of the
/// system.
enum class node_errc {
  unsafe_address = 1,  ///< Neither loopback nor TLS: see node_security.
  not_a_node,          ///< What answers there is no node of troupe, or speaks TLS and we do not.
  other_version,       ///< It speaks another version of the protocol.
  itself,              ///< The address leads back to this very node.
  name_taken,          ///< The name stands for another actor that lives.
  refused,             ///< The node has as many links, or this link as many actors, as it may have.
  lost,                ///< The link has ended, or the node has not been heard of for too long.
  broken,              ///< What the other node has sent is no part of the protocol.
  stopped,             ///< This node, or the link, was shut down.
};

/// The category of node_errc; its messages are one line each.
const boost::system::error_category& node_category() noexcept;

inline boost::system::error_code make_error_code(node_errc code) noexcept {
  return {static_cast<int>(code), node_category()};
}

}  // namespace troupe::inline v0_1

template <>
struct boost::system::is_error_code_enum<troupe::node_errc> : std::true_type {};
