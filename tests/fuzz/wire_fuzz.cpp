// Decodes: framework/troupe/node/detail/wire_read.hpp framework/troupe/node/wire_bytes.hpp
// Bytes are a message with every kind of field, or none; a message that was read is written as
// bytes that read as the same one, no end of them is missing, and nothing may follow them.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <troupe/node/wire.hpp>

#include <fuzz/input.hpp>
#include <node/every_kind.hpp>

namespace troupe::fuzz {

namespace {

template <class T>
void read_and_write(std::string_view bytes) {
  auto value = from_wire<T>(bytes);
  if (!value) return;
  if constexpr (requires { take_away_nan(*value); }) take_away_nan(*value);
  std::string written = to_wire(*value);
  require(from_wire<T>(written) == value, "what was written is read");
  require(!from_wire<T>(written + '\0'), "nothing may follow it");
  for (std::size_t cut = 0; cut < written.size() && cut < 64; ++cut) {
    require(!from_wire<T>(std::string_view{written}.substr(0, cut)), "cut off it is none");
  }
}

void read_in_place(std::string_view bytes) {
  wire_reader from{bytes};
  std::string_view text;
  if (!detail::read_value(from, text)) return;
  require(text.empty() ||
              (text.data() > bytes.data() &&
               text.data() + text.size() + from.left_bytes() == bytes.data() + bytes.size()),
          "the text lies in front of what is left");
}

// Texts of layouts are of every program's own making: they are made, not read.
void require_layout() {
  const std::string& layout = wire_layout_of<messages::every_kind>();
  require(layout.starts_with("troupe::messages::every_kind{troupe::messages::numbers{b8, i8, ") &&
              layout.ends_with("troupe::messages::celsius{f64}}"),
          "the layout names the first field and the last");
}

}  // namespace

}  // namespace troupe::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace troupe::fuzz;
  namespace messages = troupe::messages;
  input from{data, size};
  unsigned kind = from.byte();
  std::string bytes = from.rest();
  switch (kind % 8) {
    case 0:
      read_and_write<messages::every_kind>(bytes);
      break;
    case 1:
      read_and_write<messages::texts>(bytes);
      break;
    case 2:
      read_and_write<messages::containers>(bytes);
      break;
    case 3:
      read_and_write<messages::choices>(bytes);
      break;
    case 4:
      read_and_write<messages::tree>(bytes);
      break;
    case 5:
      read_and_write<messages::celsius>(bytes);
      break;
    case 6:
      read_in_place(bytes);
      break;
    default:
      require_layout();
  }
  return 0;
}
