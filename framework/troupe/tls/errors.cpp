#include <troupe/tls/errors.hpp>

#include <string>

namespace troupe::inline v0_1::tls {

namespace {

class category final : public boost::system::error_category {
public:
  const char* name() const noexcept override { return "troupe.tls"; }

  std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::truncated:
        return "the peer ended without TLS's close_notify: bytes may be missing";
      case errc::not_tls:
        return "not TLS";
      case errc::certificate_refused:
        return "the certificate of the peer is refused";
      case errc::refused_by_peer:
        return "the peer broke off with a TLS alert";
      case errc::protocol:
        return "the TLS of the peer is wrong, or does not suit";
      case errc::unusable_setting:
        return "unusable TLS setting";
    }
    return "unknown error";
  }
};

}  // namespace

const boost::system::error_category& error_category() noexcept {
  static const category instance;
  return instance;
}

}  // namespace troupe::inline v0_1::tls
