// Feeds each fuzzed decoder the inputs that have been found for it, without libFuzzer: what once
// reached a line, or broke it, stays a test of it. ./dev fuzz looks for more.

#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

namespace {

namespace files = std::filesystem;

const files::path corpus = files::path{TROUPE_SOURCE_DIR} / "tests/fuzz/corpus";

// Each is the LLVMFuzzerTestOneInput of one NAME_fuzz.cpp; what must hold and does not, it throws.
using fuzzed = int(const std::uint8_t*, std::size_t);

}  // namespace

extern "C" {
fuzzed fuzz_address, fuzz_config, fuzz_endpoint, fuzz_framing, fuzz_protocol, fuzz_resp,
    fuzz_stream, fuzz_values, fuzz_wire;
#ifdef TROUPE_WITH_CAF
fuzzed fuzz_messages;
#endif
}

namespace {

void feed(const std::string& name, fuzzed* decoder) {
  decoder(nullptr, 0);
  std::size_t count = 0;
  for (const auto& each : files::directory_iterator{corpus / name}) {
    std::ifstream file{each.path(), std::ios::binary};
    std::vector<char> bytes{std::istreambuf_iterator<char>{file}, {}};
    try {
      decoder(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    } catch (const std::exception& error) {
      BOOST_ERROR(each.path().string() + ": " + error.what());
    }
    ++count;
  }
  BOOST_TEST(count > 0u);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(corpus_)

BOOST_AUTO_TEST_CASE(addresses_go_to_the_system_and_come_back) { feed("address", fuzz_address); }

BOOST_AUTO_TEST_CASE(the_environment_is_taken_as_described_or_named) {
  feed("config", fuzz_config);
}

BOOST_AUTO_TEST_CASE(endpoints_read_what_they_write) { feed("endpoint", fuzz_endpoint); }

BOOST_AUTO_TEST_CASE(lines_and_frames_are_the_same_in_all_pieces) { feed("framing", fuzz_framing); }

#ifdef TROUPE_WITH_CAF
BOOST_AUTO_TEST_CASE(messages_are_read_as_they_were_written) { feed("messages", fuzz_messages); }
#endif

BOOST_AUTO_TEST_CASE(requests_have_one_line_as_their_answer) { feed("protocol", fuzz_protocol); }

BOOST_AUTO_TEST_CASE(requests_in_resp_are_the_same_in_all_pieces) { feed("resp", fuzz_resp); }

BOOST_AUTO_TEST_CASE(streams_keep_order_and_limit_in_all_pieces) { feed("stream", fuzz_stream); }

BOOST_AUTO_TEST_CASE(values_of_options_are_in_their_range) { feed("values", fuzz_values); }

BOOST_AUTO_TEST_CASE(messages_of_other_nodes_are_read_as_written_or_refused) {
  feed("wire", fuzz_wire);
}

BOOST_AUTO_TEST_CASE(no_inputs_lie_where_nothing_reads_them) {
  std::set<std::string> found;
  for (const auto& each : files::directory_iterator{corpus}) {
    found.insert(each.path().filename().string());
  }
  std::set<std::string> expected{"address",  "config", "endpoint", "framing", "messages",
                                 "protocol", "resp",   "stream",   "values",  "wire"};
  BOOST_TEST(found == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
