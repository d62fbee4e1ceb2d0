#pragma once

#include <string>

#include <boost/test/unit_test.hpp>

/// A test case of a program that exists in several forms, samples/tasks/, samples/actors/ and
/// samples/caf/: one for each. `fixture` is constructed from the form, "tasks", "actors" or "caf";
/// decorators may follow.
#define TROUPE_FORMS_TEST_CASE(name, fixture, ...)                                             \
  struct name : fixture {                                                                      \
    using fixture::fixture;                                                                    \
    void test();                                                                               \
  };                                                                                           \
  BOOST_AUTO_TEST_CASE(name##_as_tasks __VA_OPT__(, ) __VA_ARGS__) { name{"tasks"}.test(); }   \
  BOOST_AUTO_TEST_CASE(name##_as_actors __VA_OPT__(, ) __VA_ARGS__) { name{"actors"}.test(); } \
  TROUPE_CAF_FORM_TEST_CASE(name, __VA_ARGS__)                                                 \
  void name::test()

#ifdef TROUPE_WITH_CAF
#define TROUPE_CAF_FORM_TEST_CASE(name, ...)                                         \
  BOOST_AUTO_TEST_CASE(name##_as_caf, *boost::unit_test::label("caf") __VA_ARGS__) { \
    name{"caf"}.test();                                                              \
  }
#else
#define TROUPE_CAF_FORM_TEST_CASE(name, ...)
#endif
