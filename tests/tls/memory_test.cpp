#include <malloc.h>

#include <vector>

#include <boost/test/unit_test.hpp>

#include <tls/secure.hpp>

namespace troupe::tls {

namespace {

std::size_t bytes_in_use() { return mallinfo2().uordblks; }

}  // namespace

BOOST_AUTO_TEST_SUITE(memory_)

// Goal: what the header says of an idle connection; record buffers of twice 17 KiB would show.
BOOST_AUTO_TEST_CASE(an_idle_connection_keeps_no_record_buffers) {
  constexpr std::size_t count = 50;
  authority trusted;
  context client{trusting(trusted)}, server{serving(trusted.issue())};
  runtime rt{one_worker::config()};
  std::size_t before = 0, after = 0;
  rt.block_on([&]() -> task<> {
    secure_connection first = co_await secure_pair(client, server);
    co_await check_talk(first);
    std::vector<secure_connection> open;
    open.reserve(count);
    before = bytes_in_use();
    for (std::size_t i = 0; i < count; ++i) {
      secure_connection made = co_await secure_pair(client, server);
      co_await check_talk(made);
      open.push_back(std::move(made));
    }
    after = bytes_in_use();
  });
  if (after == before) return;  // The allocator of a sanitizer, which does not tell.
  double kib = static_cast<double>(after - before) / (2 * count) / 1024;
  BOOST_TEST_MESSAGE("KiB per end of an idle connection: " << kib);
  BOOST_TEST(kib < 20.0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::tls
