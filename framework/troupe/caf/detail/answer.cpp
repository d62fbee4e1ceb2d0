#include <troupe/caf/detail/answer.hpp>

#include <string_view>
#include <utility>

#include <boost/core/demangle.hpp>
#include <caf/abstract_actor.hpp>
#include <caf/exit_reason.hpp>
#include <caf/sec.hpp>
#include <caf/to_string.hpp>
#include <caf/type_nr.hpp>

namespace troupe::inline v0_1::detail {

::caf::error to_caf_error(ask_errc error, const std::string* words) {
  std::string text = words != nullptr ? *words : make_error_code(error).message();
  switch (error) {
    case ask_errc::receiver_gone:
      return ::caf::make_error(::caf::sec::request_receiver_down, std::move(text));
    case ask_errc::rejected:
      return ::caf::make_error(::caf::sec::unexpected_message, std::move(text));
    case ask_errc::timeout:
      return ::caf::make_error(::caf::sec::request_timeout, std::move(text));
    default:
      return ::caf::make_error(::caf::sec::runtime_error, std::move(text));
  }
}

caf_failure from_caf_error(const ::caf::error& error) {
  std::string words = "the CAF actor answered with an error: " + to_string(error);
  if (error == ::caf::sec::unexpected_message) return {ask_errc::rejected, std::move(words)};
  if (error == ::caf::sec::request_timeout) return {ask_errc::timeout, std::move(words)};
  if (error == ::caf::sec::request_receiver_down) {
    return {ask_errc::receiver_gone, "the CAF actor has ended"};
  }
  return {ask_errc::receiver_failed, std::move(words)};
}

namespace {

// CAF has names of its own for the types that it numbers, such as @i32.
std::string spelled(const char* name_at_caf) {
  static constexpr std::pair<std::string_view, const char*> names[]{
      {"@i8", "signed char"},   {"@i16", "short"},         {"@i32", "int"},
      {"@i64", "long"},         {"@u8", "unsigned char"},  {"@u16", "unsigned short"},
      {"@u32", "unsigned int"}, {"@u64", "unsigned long"}, {"@str", "std::string"},
  };
  std::string_view name{name_at_caf};
  for (auto& [theirs, ours] : names) {
    if (name == theirs) return ours;
  }
  return std::string{name.substr(name.starts_with('@') ? 1 : 0)};
}

}  // namespace

std::string types_of(const ::caf::type_erased_tuple& content) {
  std::string names = "(";
  for (std::size_t i = 0; i < content.size(); ++i) {
    auto [number, info] = content.type(i);
    if (i > 0) names += ", ";
    names += info != nullptr ? boost::core::demangle(info->name())
                             : spelled(::caf::numbered_type_names[number - 1]);
  }
  return names + ")";
}

caf_return_path::caf_return_path(::caf::mailbox_element& request,
                                 ::caf::strong_actor_ptr from) noexcept
    : from_{std::move(from)},
      to_{std::move(request.sender)},
      id_{request.mid},
      stages_{std::move(request.stages)} {}

void caf_return_path::answer(::caf::message&& content) noexcept {
  if (!stages_.empty()) {  // The next of a composed actor goes on with it.
    ::caf::strong_actor_ptr next = std::move(stages_.back());
    stages_.pop_back();
    next->get()->enqueue(
        ::caf::make_mailbox_element(std::move(to_), id_, std::move(stages_), std::move(content)),
        nullptr);
  } else if (to_ != nullptr) {
    to_->get()->enqueue(
        ::caf::make_mailbox_element(std::move(from_), id_.response_id(), {}, std::move(content)),
        nullptr);
  }
}

}  // namespace troupe::inline v0_1::detail
