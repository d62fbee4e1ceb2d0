#include <troupe/io/resolver.hpp>

namespace troupe::inline v0_1::io {

namespace {

class category final : public boost::system::error_category {
public:
  const char* name() const noexcept override { return "troupe.name"; }

  std::string message(int value) const override {
    switch (static_cast<name_errc>(value)) {
      case name_errc::not_found:
        return "no address of that name";
      case name_errc::try_again:
        return "the name server does not answer";
      case name_errc::unknown_service:
        return "no service of that name";
      case name_errc::failed:
        return "the name cannot be looked up";
    }
    return "unknown error";
  }
};

}  // namespace

const boost::system::error_category& name_category() noexcept {
  static const category instance;
  return instance;
}

}  // namespace troupe::inline v0_1::io
