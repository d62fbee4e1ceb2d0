#include <cerrno>
#include <csignal>
#include <memory>
#include <system_error>

#include <boost/test/unit_test.hpp>

#include <troupe/pal/atomic.hpp>
#include <troupe/pal/signal_hook.hpp>

namespace troupe::pal {

namespace {

atomic<int> first_calls{0}, second_calls{0}, foreign_calls{0};

void first(int) noexcept {
  first_calls.fetch_add(1);
  errno = ENOENT;
}
void second(int number) noexcept { second_calls.fetch_add(number); }
void foreign(int) { foreign_calls.fetch_add(1); }

struct cleared {
  cleared() {
    first_calls.store(0);
    second_calls.store(0);
    foreign_calls.store(0);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(signal_hook_, cleared)

BOOST_AUTO_TEST_CASE(each_act_is_called_once_for_a_signal_and_errno_is_kept) {
  signal_hook one{SIGUSR1, &first}, again{SIGUSR1, &first}, other{SIGUSR1, &second};
  errno = EAGAIN;
  std::raise(SIGUSR1);
  BOOST_TEST(errno == EAGAIN);
  BOOST_TEST(first_calls.load() == 1);
  BOOST_TEST(second_calls.load() == SIGUSR1);
}

BOOST_AUTO_TEST_CASE(what_was_there_comes_back_with_the_last_hook) {
  auto before = std::signal(SIGUSR1, &foreign);
  auto one = std::make_unique<signal_hook>(SIGUSR1, &first);
  auto other = std::make_unique<signal_hook>(SIGUSR1, &second);
  one.reset();
  std::raise(SIGUSR1);
  BOOST_TEST(first_calls.load() == 0);
  BOOST_TEST(second_calls.load() == SIGUSR1);
  BOOST_TEST(foreign_calls.load() == 0);
  other.reset();
  std::raise(SIGUSR1);
  BOOST_TEST(foreign_calls.load() == 1);
  std::signal(SIGUSR1, before);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_handled_is_an_error) {
  for (int number : {SIGKILL, SIGSTOP, 0, -1, 65}) {
    BOOST_CHECK_THROW((signal_hook{number, &first}), std::system_error);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::pal
