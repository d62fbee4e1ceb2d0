#define BOOST_TEST_MODULE greeter
#include <boost/test/unit_test.hpp>

#include <string>

#include <troupe/runtime/run.hpp>

#include "greeter.hpp"

BOOST_AUTO_TEST_CASE(counts_whom_it_greets) {
  std::string second;
  int code = troupe::run([&]() -> troupe::task<> {
    auto host = troupe::spawn<greeter>();
    co_await host.ask<greet>("Ann");
    second = co_await host.ask<greet>("Bob");
  });
  BOOST_TEST(code == 0);
  BOOST_TEST(second == "Hello, Bob! You are number 2.");
}
