// Decodes: framework/troupe/caf/messages.hpp
// A struct that CAF reads by its fields is the one that was written; bytes that are none are
// refused, and a message that was cut off is no message.

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <troupe/caf/messages.hpp>

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/deep_to_string.hpp>

#include <fuzz/input.hpp>

namespace troupe::fuzz {

struct inner {
  std::string name;
  std::int16_t depth = 0;

  friend bool operator==(const inner&, const inner&) = default;
};
struct outer {
  std::uint64_t id = 0;
  bool is_last = false;
  inner first;
  std::vector<inner> more;
  std::vector<std::int32_t> numbers;
  std::map<std::string, std::uint8_t> counts;

  friend bool operator==(const outer&, const outer&) = default;
};
struct nothing {
  friend bool operator==(const nothing&, const nothing&) = default;
};

// What CAF cannot read by its fields, or cannot make before it reads.
struct with_pointer {
  int* at = nullptr;
};
struct without_default {
  explicit without_default(int) {}
};

namespace {

using buffer = ::caf::binary_serializer::container_type;

template <class T>
buffer written(T value) {
  buffer bytes;
  ::caf::binary_serializer to{nullptr, bytes};
  require(!to(value), "every message can be written");
  return bytes;
}

/// Returns: the message at the front of `bytes`, and how many bytes it took.
template <class T>
std::optional<std::tuple<T, std::size_t>> read(const char* bytes, std::size_t size) {
  ::caf::binary_deserializer from{nullptr, bytes, size};
  T value{};
  if (from(value)) return std::nullopt;
  return std::tuple{value, size - from.remaining()};
}

void tell_structs_apart() {
  using detail::is_caf_struct;
  require(is_caf_struct<inner>() && is_caf_struct<outer>() && is_caf_struct<nothing>(),
          "what has fields that CAF knows is read by them");
  require(!is_caf_struct<with_pointer>() && !is_caf_struct<without_default>(), "no other is");
  // Through a pointer, so that it is run, and counted, and not only worked out by the compiler.
  bool (*volatile are_inspected)(std::index_sequence<0>) =
      &detail::fields_are_inspected<with_pointer, 0>;
  require(!are_inspected({}), "a pointer is no field that CAF knows");
}

template <class T>
void read_and_write(const std::string& bytes) {
  auto found = read<T>(bytes.data(), bytes.size());
  if (!found) return;
  auto& [value, size] = *found;
  buffer again = written(value);
  auto second = read<T>(reinterpret_cast<const char*>(again.data()), again.size());
  require(second && std::get<0>(*second) == value, "what was written is read");
  require(std::get<1>(*second) == again.size(), "and nothing is left over");
  require(!::caf::deep_to_string(value).empty(), "it can be shown");
  for (std::size_t cut = 0; cut < again.size() && cut < 64; ++cut) {
    require(!read<T>(reinterpret_cast<const char*>(again.data()), cut), "cut off it is refused");
  }
}

}  // namespace

}  // namespace troupe::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace troupe::fuzz;
  input from{data, size};
  tell_structs_apart();
  switch (from.byte() % 3) {
    case 0:
      read_and_write<inner>(from.rest());
      break;
    case 1:
      read_and_write<nothing>(from.rest());
      break;
    default:
      read_and_write<outer>(from.rest());
  }
  return 0;
}
