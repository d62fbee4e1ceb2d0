#include <stdexcept>
#include <string>

#include <boost/test/unit_test.hpp>

#include <troupe/actor/actor.hpp>
#include <troupe/actor/format.hpp>
#include <troupe/runtime/runtime.hpp>

#include <sched/virtual_worker.hpp>

namespace troupe {

namespace {

struct ping {
  using reply = int;
};

class echo : public actor {
public:
  int on(ping) { return 1; }
};

exit_reason failed_with_text(const char* text) {
  return {exit_kind::failed, std::make_exception_ptr(std::runtime_error{text})};
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(format_, test::virtual_worker)

BOOST_AUTO_TEST_CASE(a_ref_prints_its_name_and_what_tells_it_from_its_namesakes) {
  rt.block_on([]() -> task<> {
    auto first = spawn<echo>(), second = spawn<echo>();
    ref<protocol<ping>> narrowed = first;
    std::string text = fmt::format("{}", first), other = fmt::format("{}", second);
    BOOST_TEST(text != other);
    BOOST_TEST(fmt::format("{}", narrowed) == text);
    BOOST_TEST(text.starts_with(first.name() + "@"));
    std::string id = fmt::format("{}", first.id());
    BOOST_TEST(id.substr(id.find('@')) == text.substr(text.find('@')));
    BOOST_TEST(id.starts_with("actor@"));
    std::string padded = fmt::format("{:>200}", first);
    BOOST_TEST(padded.size() == 200u);
    BOOST_TEST(padded.ends_with(' ' + text));
    first.stop();
    co_await first.ended();
    BOOST_TEST(fmt::format("{}", first) == text);
  });
}

BOOST_AUTO_TEST_CASE(an_id_of_nobody_says_so) {
  BOOST_TEST(fmt::format("{}", actor_id{}) == "no actor");
}

BOOST_AUTO_TEST_CASE(ends_print_why) {
  BOOST_TEST(fmt::format("{}", exit_kind::killed) == "killed");
  BOOST_TEST(fmt::format("{}", exit_reason{exit_kind::stopped}) == "stopped");
  exit_reason failed = failed_with_text("out of ink");
  BOOST_TEST(fmt::format("{}", failed) == to_string(failed));
  BOOST_TEST(fmt::format("{}", failed).find("out of ink") != std::string::npos);
  BOOST_TEST(fmt::format("{}", failed.kind) == "failed");
}

BOOST_AUTO_TEST_CASE(a_down_prints_who_and_why_and_whether_it_comes_back) {
  down notice{{}, "printer", exit_reason{exit_kind::killed}, false};
  BOOST_TEST(fmt::format("{}", notice) == "printer has ended: killed");
  notice.restarts = true;
  BOOST_TEST(fmt::format("{}", notice) ==
             "printer has ended: killed; its supervisor starts it anew");
}

BOOST_AUTO_TEST_CASE(errors_of_requests_print_their_one_line) {
  BOOST_TEST(fmt::format("{}", ask_errc::receiver_gone) == "the receiver has ended (not run)");
  undelivered lost{"ping", ask_errc::mailbox_full};
  BOOST_TEST(fmt::format("{}", lost) == "ping: the receiver's mailbox is full (not run)");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
