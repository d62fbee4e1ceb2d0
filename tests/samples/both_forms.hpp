#pragma once

#include <string>

#include <boost/test/unit_test.hpp>

/// A test case of a program that exists in two forms, samples/tasks/ and samples/actors/: one for
/// each. `fixture` is constructed from the form, "tasks" or "actors"; decorators may follow.
#define TROUPE_BOTH_FORMS_TEST_CASE(name, fixture, ...)                                        \
  struct name : fixture {                                                                      \
    using fixture::fixture;                                                                    \
    void test();                                                                               \
  };                                                                                           \
  BOOST_AUTO_TEST_CASE(name##_as_tasks __VA_OPT__(, ) __VA_ARGS__) { name{"tasks"}.test(); }   \
  BOOST_AUTO_TEST_CASE(name##_as_actors __VA_OPT__(, ) __VA_ARGS__) { name{"actors"}.test(); } \
  void name::test()
