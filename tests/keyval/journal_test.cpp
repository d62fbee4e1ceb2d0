#include <boost/test/unit_test.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <collected_failures.hpp>
#include <sched/virtual_worker.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/scope.hpp>
#include <troupe/task/spawn.hpp>

#include "../../samples/keyval/5_product/journal.hpp"

namespace keyval {
namespace {

using namespace std::chrono_literals;

// A disk in the hands of a test: nothing is stored before it says so.
struct held {
  std::string bytes;
  std::size_t stores = 0;
  troupe::event may_store;
  bool fails = false;
};
class held_disk final : public disk {
public:
  explicit held_disk(std::shared_ptr<held> at) : at_{std::move(at)} {}

  troupe::task<std::string> read(std::uint64_t, std::size_t) override { co_return std::string{}; }
  troupe::task<> cut(std::uint64_t) override { co_return; }
  troupe::task<> store(std::string bytes) override {
    ++at_->stores;
    co_await at_->may_store.wait();
    if (at_->fails) {
      throw troupe::system_error{make_error_code(boost::system::errc::no_space_on_device)};
    }
    at_->bytes += bytes;
  }

private:
  std::shared_ptr<held> at_;
};

struct with_journal : troupe::test::virtual_worker {
  std::shared_ptr<held> at = std::make_shared<held>();
  int answered = 0;
  int failed = 0;

  troupe::task<> write(troupe::ref<journal> to, std::string text) {
    commit m{std::move(text), std::make_unique<part>(), nullptr};
    auto answer = co_await to.ask(troupe::take(m)).as_result();
    answer ? ++answered : ++failed;
  }
};

std::vector<std::string> records_of(std::string_view bytes) {
  std::vector<std::string> all;
  for (record next = first_record(bytes); !next.requests.empty(); next = first_record(bytes)) {
    all.emplace_back(next.requests);
    bytes.remove_prefix(next.size_bytes);
  }
  return all;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(journal_, with_journal)

BOOST_AUTO_TEST_CASE(nothing_is_answered_before_it_is_stored) {
  rt.block_on([&]() -> troupe::task<> {
    auto to = open_journal(std::make_unique<held_disk>(at));
    auto writing = troupe::spawn([&]() { return write(to, "one"); });
    co_await troupe::sleep_for(1ms);  // Until there is nothing left to do.
    BOOST_TEST(at->stores == 1U);
    BOOST_TEST(answered == 0);
    at->may_store.set();
    co_await std::move(writing);
    BOOST_TEST(answered == 1);
    BOOST_TEST((records_of(at->bytes) == std::vector<std::string>{"one"}));
  });
}

BOOST_AUTO_TEST_CASE(those_who_write_meanwhile_share_the_next_store) {
  rt.block_on([&]() -> troupe::task<> {
    auto to = open_journal(std::make_unique<held_disk>(at));
    co_await troupe::scope([&](troupe::scope_handle all) -> troupe::task<> {
      all.spawn([&]() { return write(to, "first"); });
      co_await troupe::sleep_for(1ms);  // Until there is nothing left to do.
      BOOST_TEST(at->stores == 1U);
      for (int i = 0; i < 50; ++i) all.spawn([&]() { return write(to, "more"); });
      co_await troupe::sleep_for(1ms);
      BOOST_TEST(answered == 0);
      at->may_store.set();
    });
    BOOST_TEST(answered == 51);
    BOOST_TEST(at->stores == 2U);
    BOOST_TEST(records_of(at->bytes).size() == 51U);
  });
}

BOOST_AUTO_TEST_CASE(a_disk_that_fails_ends_the_journal_and_nothing_is_answered) {
  troupe::test::collected_failures told;
  at->fails = true;
  at->may_store.set();
  rt.block_on([&]() -> troupe::task<> {
    auto to = open_journal(std::make_unique<held_disk>(at));
    auto watching = troupe::spawn([to]() -> troupe::task<bool> {
      troupe::exit_reason why = co_await to.ended();
      co_return why.kind == troupe::exit_kind::failed;
    });
    co_await write(to, "one");
    co_await write(to, "two");
    bool has_failed = co_await std::move(watching);
    BOOST_TEST(has_failed);
  });
  BOOST_TEST(answered == 0);
  BOOST_TEST(failed == 2);
}

BOOST_AUTO_TEST_CASE(a_record_that_is_cut_off_is_none) {
  std::string bytes;
  add_record("*1\r\n$4\r\nPING\r\n", bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    record found = first_record(std::string_view{bytes}.substr(0, size));
    BOOST_TEST(found.requests.empty());
    BOOST_TEST(!found.is_broken);
  }
  BOOST_TEST(first_record(bytes).size_bytes == bytes.size());
}

BOOST_AUTO_TEST_CASE(a_record_with_any_bit_wrong_is_none) {
  std::string right;
  add_record("*1\r\n$4\r\nPING\r\n", right);
  for (std::size_t bit = 0; bit < right.size() * 8; ++bit) {
    std::string wrong = right;
    wrong[bit / 8] = static_cast<char>(wrong[bit / 8] ^ (1 << bit % 8));
    BOOST_TEST(first_record(wrong).requests.empty());
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace keyval
