#include <unistd.h>

#include <fstream>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <tls/secure.hpp>

namespace troupe::tls {

namespace {

// Of the machine's memory, whatever allocator OpenSSL has got.
std::size_t resident_bytes() {
  std::size_t all_pages = 0, resident_pages = 0;
  std::ifstream{"/proc/self/statm"} >> all_pages >> resident_pages;
  return resident_pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool is_sanitized = true;
#elif defined(__has_feature)
constexpr bool is_sanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool is_sanitized = false;
#endif

}  // namespace

BOOST_AUTO_TEST_SUITE(memory_)

// Goal: what the header says of an idle connection; record buffers of twice 17 KiB would show.
BOOST_AUTO_TEST_CASE(an_idle_connection_keeps_no_record_buffers) {
  constexpr std::size_t count = 200;
  authority trusted;
  context client{trusting(trusted)}, server{serving(trusted.issue())};
  runtime rt{one_worker::config()};
  std::size_t before = 0, after = 0;
  rt.block_on([&]() -> task<> {
    secure_connection first = co_await secure_pair(client, server);
    co_await check_talk(first);
    std::vector<secure_connection> open;
    open.reserve(count);
    before = resident_bytes();
    for (std::size_t i = 0; i < count; ++i) {
      secure_connection made = co_await secure_pair(client, server);
      co_await check_talk(made);
      open.push_back(std::move(made));
    }
    after = resident_bytes();
  });
  if (is_sanitized) return;  // A sanitizer needs memory of its own.
  double kib = static_cast<double>(after - before) / (2 * count) / 1024;
  BOOST_TEST_MESSAGE("KiB per end of an idle connection: " << kib);
  BOOST_TEST(kib < 30.0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::tls
