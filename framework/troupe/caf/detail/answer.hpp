#pragma once

#include <string>
#include <vector>

#include <caf/error.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/message.hpp>

#include <troupe/actor/errors.hpp>

namespace troupe::inline v0_1::detail {

/// What a failed request is to CAF, and to troupe.
[[nodiscard]] ::caf::error to_caf_error(ask_errc error, const std::string* words);
struct caf_failure {
  ask_errc error;
  std::string words;
};
[[nodiscard]] caf_failure from_caf_error(const ::caf::error& error);

/// The types of a message's elements, as in "(int, std::string)".
[[nodiscard]] std::string types_of(const ::caf::type_erased_tuple& content);

/// Where the answer to a CAF request goes.
class caf_return_path {
public:
  /// Requires: a request that was not answered. `from` is who answers.
  caf_return_path(::caf::mailbox_element& request, ::caf::strong_actor_ptr from) noexcept;

  void answer(::caf::message&& content) noexcept;

private:
  ::caf::strong_actor_ptr from_;
  ::caf::strong_actor_ptr to_;
  ::caf::message_id id_;
  std::vector<::caf::strong_actor_ptr> stages_;
};

/// Takes the one element of a message. Requires: it is an M.
template <class M>
M take_element(::caf::mailbox_element& from) {
  if constexpr (std::is_trivially_copyable_v<M>) {
    return from.content().template get_as<M>(0);
  } else {
    ::caf::message content = from.move_content_to_message();
    return std::move(content.get_mutable_as<M>(0));  // A copy, if others share it.
  }
}

}  // namespace troupe::inline v0_1::detail
