#include <troupe/node/errors.hpp>

#include <string>

namespace troupe::inline v0_1 {

namespace {

class node_errors final : public boost::system::error_category {
public:
  const char* name() const noexcept override { return "troupe.node"; }

  std::string message(int code) const override {
    switch (static_cast<node_errc>(code)) {
      case node_errc::unsafe_address:
        return "the address is not loopback, and there is no TLS: give node_options::security "
               "mutual_tls(...), or insecure_for_closed_networks()";
      case node_errc::not_a_node:
        return "what answers there is no node";
      case node_errc::other_version:
        return "the node speaks another version of the protocol";
      case node_errc::itself:
        return "the address leads back to this node";
      case node_errc::name_taken:
        return "the name stands for another actor that lives";
      case node_errc::refused:
        return "the node takes no more";
      case node_errc::lost:
        return "the link to the node was lost";
      case node_errc::broken:
        return "the node has sent what is no part of the protocol";
      case node_errc::stopped:
        return "the node was shut down";
    }
    return "unknown node error " + std::to_string(code);
  }
};

}  // namespace

const boost::system::error_category& node_category() noexcept {
  static const node_errors category;
  return category;
}

}  // namespace troupe::inline v0_1
