#include <boost/test/unit_test.hpp>

#include <troupe/actor/actor.hpp>
#include <troupe/runtime/runtime.hpp>

#include <sched/virtual_worker.hpp>

namespace troupe {

namespace {

struct add {
  int amount;
};
struct total {
  using reply = int;
};

class counter : public actor {
public:
  void on(add m) { sum_ += m.amount; }
  int on(total) const { return sum_; }

private:
  int sum_ = 0;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(ref_, test::virtual_worker)

BOOST_AUTO_TEST_CASE(a_weak_ref_to_a_protocol_gives_one_that_can_be_sent_to_and_asked) {
  rt.block_on([]() -> task<> {
    ref<protocol<add, total>> any = spawn<counter>();
    weak_ref<protocol<add, total>> weak{any};
    auto found = weak.lock();
    BOOST_REQUIRE(found);
    BOOST_TEST((*found == any));
    co_await found->send(add{2});
    BOOST_TEST((co_await found->ask(total{})) == 2);
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
