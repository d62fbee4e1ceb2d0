// The main function of every test program.
#define BOOST_TEST_MODULE troupe
#include <cstdio>
#include <cstdlib>
#include <source_location>

#include <fmt/format.h>
#include <boost/test/unit_test.hpp>

#include <troupe/task/failure.hpp>

namespace {

// An exception that nobody awaits fails the test. It ends the program at once: it comes on a
// worker, where Boost.Test cannot be told. A case that expects one installs a sink of its own.
void fail(const troupe::failure& seen) {
  fmt::print(stderr, "error: in \"{}\": nobody awaited an exception of {} spawned at {}:{}: {}\n",
             boost::unit_test::framework::current_test_unit().full_name(),
             seen.actor.empty() ? "a task" : "actor " + seen.actor, seen.spawned_at.file_name(),
             seen.spawned_at.line(), troupe::describe(seen.error));
  std::fflush(nullptr);
  std::_Exit(EXIT_FAILURE);
}

struct no_unobserved_exceptions {
  no_unobserved_exceptions() { troupe::set_failure_sink(&fail); }
  ~no_unobserved_exceptions() { troupe::set_failure_sink(nullptr); }
};

}  // namespace

BOOST_TEST_GLOBAL_FIXTURE(no_unobserved_exceptions);
