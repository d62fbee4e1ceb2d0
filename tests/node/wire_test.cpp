// What a message is on its way to another node, byte by byte, and what is no message.

#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include <boost/pfr/core.hpp>
#include <boost/test/unit_test.hpp>

#include <troupe/node/wire.hpp>

#include <node/every_kind.hpp>

namespace {

using namespace std::string_literals;
using namespace std::chrono_literals;
using namespace troupe::messages;
using troupe::from_wire;
using troupe::to_wire;
using troupe::wire_layout_of;

template <class T>
bool comes_back(const T& value) {
  return from_wire<T>(to_wire(value)) == value;
}

// ---- random messages, with all that a seed chooses

class maker {
public:
  explicit maker(std::uint64_t seed) : engine_{seed} {}

  template <class T>
  T make() {
    using namespace troupe::detail;
    if constexpr (std::same_as<T, celsius>) {
      return celsius{static_cast<double>(below(1000))};
    } else if constexpr (std::same_as<T, suit>) {
      return static_cast<suit>(below(2));
    } else if constexpr (is_wire_bool<T>()) {
      return static_cast<T>(below(2));
    } else if constexpr (wire_number<T>) {
      using bits = typename bits_of_size<sizeof(T)>::type;
      return std::bit_cast<T>(static_cast<bits>(engine_() >> below(64)));
    } else if constexpr (wire_duration<T>) {
      return T{make<typename T::rep>()};
    } else if constexpr (wire_time_point<T>) {
      return T{make<typename T::duration>()};
    } else if constexpr (is_of<T, std::optional>) {
      return below(3) == 0 ? T{} : T{make<typename T::value_type>()};
    } else if constexpr (is_of<T, std::variant>) {
      return make_variant<T>(std::make_index_sequence<std::variant_size_v<T>>{});
    } else if constexpr (is_array<T>) {
      T all{};
      for (auto& each : all) each = make<typename T::value_type>();
      return all;
    } else if constexpr (wire_container<T>) {
      return make_container<T>();
    } else {
      T value{};
      if constexpr (wire_parts<T>) make_all(value);
      if constexpr (wire_struct<T> && !std::is_empty_v<T>) {
        ++depth_;
        make_all(boost::pfr::structure_tie(value));
        --depth_;
      }
      return value;
    }
  }
  std::size_t below(std::size_t limit) { return engine_() % limit; }

private:
  template <class Parts>
  void make_all(Parts&& parts) {
    std::apply(
        [&](auto&... each) { ((each = make<std::remove_reference_t<decltype(each)>>()), ...); },
        parts);
  }
  template <class T, std::size_t... I>
  T make_variant(std::index_sequence<I...>) {
    T value;
    std::size_t index = below(sizeof...(I));
    (void)((index == I &&
            (value.template emplace<I>(make<std::variant_alternative_t<I, T>>()), true)) ||
           ...);
    return value;
  }
  template <class T>
  T make_container() {
    T all;
    // A tree has an end; some counts take two bytes.
    std::size_t count = depth_ > 4 ? 0 : below(20) == 0 ? below(300) : below(4);
    if (depth_ > 1) count = std::min<std::size_t>(count, 3);
    for (; count > 0; --count) {
      if constexpr (troupe::detail::wire_map<T>) {
        auto key = make<typename T::key_type>();
        all.emplace(std::move(key), make<typename T::mapped_type>());
      } else {
        all.insert(all.end(), make<typename T::value_type>());
      }
    }
    return all;
  }

  std::mt19937_64 engine_;
  int depth_ = 0;
};

every_kind random_message(std::uint64_t seed) {
  auto value = maker{seed}.make<every_kind>();
  take_away_nan(value);
  return value;
}

// ---- what is counted

std::size_t taken_bytes = 0;

template <class T>
struct counted {
  using value_type = T;
  counted() = default;
  template <class U>
  counted(const counted<U>&) {}
  T* allocate(std::size_t count) {
    taken_bytes += count * sizeof(T);
    return std::allocator<T>{}.allocate(count);
  }
  void deallocate(T* at, std::size_t count) { std::allocator<T>{}.deallocate(at, count); }
  friend bool operator==(counted, counted) { return true; }
};
template <class T>
using counted_vector = std::vector<T, counted<T>>;

/// Returns: the memory that was asked for to read a T of what claims to have `count` parts.
template <class T>
std::size_t bytes_taken_for(std::size_t count, const std::string& rest) {
  troupe::wire_writer to;
  to.put_count(count);
  taken_bytes = 0;
  BOOST_TEST(!from_wire<T>(to.take() + rest).has_value());
  return taken_bytes;
}

struct nest {
  std::vector<nest> within;

  friend bool operator==(const nest&, const nest&) = default;
};
nest nested(int depth) {
  nest all;
  for (; depth > 1; --depth) {
    nest outer;
    outer.within.push_back(std::move(all));
    all = std::move(outer);
  }
  return all;
}

// The fields of a struct are not what its template is given.
template <class T>
struct labelled {
  std::string label;
  std::optional<T> value;

  friend bool operator==(const labelled&, const labelled&) = default;
};

// 2^20 points, if each were described where it stands.
template <int level>
struct twice {
  std::vector<twice<level - 1>> first, second;
};
template <>
struct twice<0> {
  point at;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(wire_)

BOOST_AUTO_TEST_CASE(numbers_have_their_lowest_byte_first) {
  BOOST_TEST(to_wire(std::uint32_t{0x01020304}) == "\4\3\2\1"s);
  BOOST_TEST(to_wire(std::int16_t{-2}) == "\xFE\xFF"s);
  BOOST_TEST(to_wire(true) == "\1"s);
  BOOST_TEST(to_wire('a') == "a"s);
  BOOST_TEST(to_wire(u'\x1234') == "\x34\x12"s);
  BOOST_TEST(to_wire(colour::blue) == "\2"s);
  BOOST_TEST(to_wire(below) == "\xFF\xFF"s);
  BOOST_TEST(to_wire(1.0) == "\0\0\0\0\0\0\xF0\x3F"s);
  BOOST_TEST(to_wire(1.0F) == "\0\0\x80\x3F"s);
  BOOST_TEST(to_wire(std::chrono::duration<std::int16_t>{258}) == "\2\1"s);
  BOOST_TEST(to_wire(std::chrono::sys_seconds{1s}) == "\1\0\0\0\0\0\0\0"s);
}

BOOST_AUTO_TEST_CASE(what_has_parts_has_them_behind_one_another) {
  BOOST_TEST(to_wire("abc"s) == "\3abc"s);
  BOOST_TEST(to_wire(std::string(300, 'x')) == "\xAC\2" + std::string(300, 'x'));
  BOOST_TEST(to_wire(std::vector<std::uint16_t>{1, 2}) == "\2\1\0\2\0"s);
  BOOST_TEST(to_wire(std::vector<bool>{true, false}) == "\2\1\0"s);
  BOOST_TEST(to_wire(std::map<char, std::string>{{'a', "b"}}) == "\1a\1b"s);
  BOOST_TEST(to_wire(std::array<char, 3>{'a', 'b', 'c'}) == "abc"s);
  BOOST_TEST(to_wire(std::array<std::string, 2>{"a", "b"}) == "\1a\1b"s);
  BOOST_TEST(to_wire(std::pair{'a', "b"s}) == "a\1b"s);
  BOOST_TEST(to_wire(std::tuple{true, 'a', 'b'}) == "\1ab"s);
  BOOST_TEST(to_wire(point{1, 2}) == "\1\0\0\0\2\0\0\0"s);
  BOOST_TEST(to_wire(nothing{}) == ""s);
  BOOST_TEST(to_wire(std::optional<char>{}) == "\0"s);
  BOOST_TEST(to_wire(std::optional{'a'}) == "\1a"s);
  BOOST_TEST(to_wire(std::variant<std::monostate, char>{}) == "\0"s);
  BOOST_TEST(to_wire(std::variant<std::monostate, char>{'a'}) == "\1a"s);
}

BOOST_AUTO_TEST_CASE(the_ends_of_all_ranges_come_back) {
  using limits = std::numeric_limits<double>;
  BOOST_TEST(comes_back(std::numeric_limits<std::int64_t>::min()));
  BOOST_TEST(comes_back(std::numeric_limits<std::uint64_t>::max()));
  for (double each : {limits::max(), limits::lowest(), limits::denorm_min(), limits::infinity()}) {
    BOOST_TEST(comes_back(each));
  }
  auto minus = from_wire<double>(to_wire(-0.0));
  BOOST_TEST((minus && std::signbit(*minus)));
  auto no_number = from_wire<double>(to_wire(limits::quiet_NaN()));
  BOOST_TEST((no_number && std::isnan(*no_number)));
  BOOST_TEST(comes_back(std::string(1 << 20, '\xFF')));
  BOOST_TEST(comes_back(std::chrono::nanoseconds::min()));
  BOOST_TEST(comes_back(std::array<std::string, 2>{"", "b"}));
  BOOST_TEST(comes_back(every_kind{}));
  BOOST_TEST(comes_back(labelled<point>{"there", point{1, 2}}));
}

BOOST_AUTO_TEST_CASE(any_message_comes_back) {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) { BOOST_TEST(comes_back(random_message(seed))); }
  }
}

BOOST_AUTO_TEST_CASE(what_stood_in_the_value_is_gone_once_it_is_read) {
  std::tuple<std::vector<int>, std::optional<int>, std::map<int, int>, std::string> empty;
  std::string bytes = to_wire(empty);
  decltype(empty) value{{1, 2}, 3, {{4, 5}}, "6"};
  troupe::wire_reader from{bytes};
  BOOST_TEST(read_part(from, value));
  BOOST_TEST((value == empty));
}

BOOST_AUTO_TEST_CASE(refuses_a_message_that_is_cut_off_anywhere) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    std::string bytes = to_wire(random_message(seed));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      if (!from_wire<every_kind>(std::string_view{bytes}.substr(0, size))) continue;
      BOOST_ERROR("seed " << seed << ": read from " << size << " bytes of " << bytes.size());
    }
  }
}

BOOST_AUTO_TEST_CASE(refuses_bytes_behind_a_message) {
  for (char more : {'\0', '\1', '\xFF'}) {
    BOOST_TEST(!from_wire<every_kind>(to_wire(random_message(1)) + more));
    BOOST_TEST(!from_wire<nothing>(std::string{more}));
  }
}

BOOST_AUTO_TEST_CASE(a_byte_that_is_changed_makes_another_message_or_none) {
  // Goal: bytes that are nearly a message do no harm, and never read as what cannot be written.
  std::string bytes = to_wire(random_message(3));
  maker random{1};
  for (int i = 0; i < 5'000; ++i) {
    std::string changed = bytes;
    changed[random.below(bytes.size())] ^= static_cast<char>(1 + random.below(255));
    auto value = from_wire<every_kind>(changed);
    if (!value) continue;
    take_away_nan(*value);
    BOOST_TEST_CONTEXT("change " << i) { BOOST_TEST(comes_back(*value)); }
  }
}

BOOST_AUTO_TEST_CASE(takes_no_more_memory_than_the_bytes_are_worth) {
  std::string rest(1000, '\0');
  constexpr std::size_t huge = std::numeric_limits<std::size_t>::max() >> 2U;
  for (std::size_t count : {std::size_t{1001}, std::size_t{1} << 32U, huge}) {
    using counted_string = std::basic_string<char, std::char_traits<char>, counted<char>>;
    BOOST_TEST(bytes_taken_for<counted_string>(count, rest) == 0u);
    BOOST_TEST(bytes_taken_for<counted_vector<char>>(count, rest) == 0u);
    BOOST_TEST(bytes_taken_for<counted_vector<std::uint64_t>>(count, rest) == 0u);
    BOOST_TEST(bytes_taken_for<counted_vector<bool>>(count, rest) == 0u);
    BOOST_TEST(bytes_taken_for<counted_vector<std::string>>(count, rest) == 0u);
  }
  // As many elements as there are bytes, of which each takes more than one.
  BOOST_TEST(bytes_taken_for<counted_vector<std::uint64_t>>(1000, rest) == 0u);
  // A vector grows to twice its size each time.
  BOOST_TEST(bytes_taken_for<counted_vector<point>>(1000, rest) <= 4 * rest.size());
  // Each of the vectors within claims all that is left.
  using vectors = counted_vector<counted_vector<std::uint16_t>>;
  std::string claims(1000, '\x7F');
  BOOST_TEST(bytes_taken_for<vectors>(1000, claims) <= 64 * claims.size());
}

BOOST_AUTO_TEST_CASE(refuses_a_count_that_has_no_end) {
  BOOST_TEST(!from_wire<std::string>(std::string(8, '\x80')));
  BOOST_TEST(!from_wire<std::string>(std::string(9, '\x80') + '\0'));
  BOOST_TEST(!from_wire<std::string>(std::string(100, '\xFF')));
  BOOST_TEST(from_wire<std::string>(std::string(8, '\x80') + '\0').value() == "");
}

BOOST_AUTO_TEST_CASE(a_bool_is_0_or_1) {
  for (char wrong : {'\2', '\x80', '\xFF'}) {
    std::string bytes{wrong};
    BOOST_TEST(!from_wire<bool>(bytes));
    BOOST_TEST(!from_wire<answer>(bytes));
    BOOST_TEST((!from_wire<std::array<bool, 1>>(bytes)));
    BOOST_TEST(!from_wire<std::vector<bool>>('\1' + bytes));
    BOOST_TEST(!from_wire<std::vector<answer>>('\1' + bytes));
    BOOST_TEST(!from_wire<std::optional<bool>>('\1' + bytes));
    BOOST_TEST(!from_wire<std::optional<nothing>>(bytes));
  }
}

BOOST_AUTO_TEST_CASE(an_enum_may_have_a_value_of_its_type_that_has_no_name) {
  BOOST_TEST((from_wire<colour>("\x9") == colour{9}));
}

BOOST_AUTO_TEST_CASE(refuses_an_alternative_that_there_is_not) {
  using two = std::variant<nothing, bool>;
  BOOST_TEST((from_wire<two>("\0"s) == two{nothing{}}));
  BOOST_TEST((from_wire<two>("\1\1"s) == two{true}));
  BOOST_TEST(!from_wire<two>("\1\2"s));
  BOOST_TEST(!from_wire<two>("\2\1"s));
  BOOST_TEST(!from_wire<two>("\2"s));
  BOOST_TEST(!from_wire<two>("\x81\x80\x80\x80\x80\x80\x80\x80\x40"s));
}

BOOST_AUTO_TEST_CASE(of_keys_that_are_the_same_the_first_counts) {
  auto value = from_wire<std::map<char, char>>("\3axbyaz"s);
  BOOST_TEST((value == std::map<char, char>{{'a', 'x'}, {'b', 'y'}}));
}

BOOST_AUTO_TEST_CASE(refuses_what_is_nested_too_deep) {
  // The struct and its vector are one level each.
  BOOST_TEST(comes_back(nested(32)));
  BOOST_TEST(!from_wire<std::vector<nest>>(to_wire(std::vector{nested(32)})));
  BOOST_TEST(!from_wire<nest>(to_wire(nested(33))));
  BOOST_TEST(!from_wire<nest>(to_wire(nested(1000))));
  BOOST_TEST(!from_wire<nest>(std::string(10'000'000, '\1') + '\0'));
  // Wide is not deep.
  nest wide;
  wide.within.resize(1000, nested(31));
  BOOST_TEST(comes_back(wide));
}

BOOST_AUTO_TEST_CASE(a_codec_is_asked_wherever_its_class_is) {
  BOOST_TEST(comes_back(celsius{21.5}));
  BOOST_TEST(comes_back(std::vector{suit::clubs, suit::hearts}));
  BOOST_TEST(to_wire(suit::hearts) == "\1"s);
  BOOST_TEST(!from_wire<celsius>(to_wire(-300.0)));
  BOOST_TEST(!from_wire<std::vector<celsius>>(to_wire(std::vector<double>{20.0, -300.0})));
  BOOST_TEST(!from_wire<suit>("\2"s));
  BOOST_TEST(!from_wire<std::vector<suit>>("\2\1\2"s));
  BOOST_TEST((!from_wire<std::array<suit, 2>>("\1\2"s)));
  BOOST_TEST((!from_wire<std::variant<bool, suit>>("\1\2"s)));
}

BOOST_AUTO_TEST_CASE(layouts_say_what_the_bytes_are) {
  const std::string space = "troupe::messages::";
  BOOST_TEST(wire_layout_of<numbers>() ==
             space +
                 "numbers{b8, i8, i16, i32, i64, u8, u16, u32, u64, c8, c32, c8, c16, f32, f64, "
                 "e8, e8, e16, e8}");
  BOOST_TEST(wire_layout_of<times>() ==
             space +
                 "times{ticks of 1/1000000000 i64, ticks of 1/1 i32, ticks of 1/1000 f64, "
                 "system_clock{ticks of 1/1000000000 i64}, system_clock{ticks of 1/1 i64}, "
                 "system_clock{ticks of 86400/1 i64}}");
  BOOST_TEST(wire_layout_of<texts>() ==
             space +
                 "texts{string, list{c8}, list{c16}, list{c8}, list{e8}, list{b8}, list{i32}, "
                 "list{e8}, list{e8}, list{" +
                 space + "suit{clubs, hearts}}}");
  BOOST_TEST(wire_layout_of<containers>() == space + "containers{list{" + space +
                                                 "point{i32, i32}}, list{list{string}}, "
                                                 "list{string}, list{" +
                                                 space +
                                                 "point}, list{string}, list{i32}, list{i32}, "
                                                 "map{string, list{" +
                                                 space + "point}}, map{" + space +
                                                 "point, b8}, "
                                                 "map{i32, string}, map{i32, i32}, map{i32, " +
                                                 space + "nothing{}}}");
  BOOST_TEST(wire_layout_of<choices>() ==
             space +
                 "choices{optional{string}, optional{list{i32}}, optional{optional{b8}}, "
                 "optional{" +
                 space +
                 "point{i32, i32}}, "
                 "variant{std::monostate{}, i32, string, list{" +
                 space +
                 "point}}, "
                 "variant{variant{b8, i8}, " +
                 space +
                 "point}, tuple{i32, string}, "
                 "tuple{b8, " +
                 space +
                 "point, list{string}}, tuple{}, array 3{b8}, "
                 "array 2{f64}, array 2{" +
                 space + "point}, array 0{i32}, " + space + "nothing{}}");
  BOOST_TEST(wire_layout_of<celsius>() == space + "celsius{f64}");
  BOOST_TEST(wire_layout_of<int>() == "i32");
  BOOST_TEST(
      wire_layout_of<labelled<nothing>>().ends_with("{string, optional{" + space + "nothing{}}}"));
}

BOOST_AUTO_TEST_CASE(layouts_describe_a_struct_once) {
  BOOST_TEST(wire_layout_of<tree>() ==
             "troupe::messages::tree{string, list{troupe::messages::tree}}");
  BOOST_TEST(wire_layout_of<twice<20>>().size() < 2'000u);
  BOOST_TEST(
      (wire_layout_of<std::pair<point, nothing>>() != wire_layout_of<std::pair<nothing, point>>()));
}

BOOST_AUTO_TEST_SUITE_END()
