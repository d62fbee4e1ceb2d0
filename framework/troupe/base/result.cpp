#include <troupe/base/result.hpp>

#include <string>

namespace troupe::inline v0_1 {

namespace {

class category final : public boost::system::error_category {
public:
  const char* name() const noexcept override { return "troupe"; }

  std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::closed:
        return "channel closed";
      case errc::full:
        return "channel full";
      case errc::empty:
        return "channel empty";
      case errc::timed_out:
        return "timed out";
      case errc::canceled:
        return "canceled by a stop request";
      case errc::end_of_stream:
        return "end of stream";
      case errc::too_long:
        return "longer than the limit";
    }
    return "unknown error";
  }
};

}  // namespace

const boost::system::error_category& error_category() noexcept {
  static const category instance;
  return instance;
}

void throw_error(boost::system::error_code code) { throw system_error{code}; }

void throw_error(boost::system::error_code code, const std::string& text) {
  throw system_error{code, text};
}

}  // namespace troupe::inline v0_1
