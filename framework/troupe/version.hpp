#pragma once

/// The version of these headers; the build reads it from here.
#define TROUPE_VERSION_MAJOR 0
#define TROUPE_VERSION_MINOR 1
#define TROUPE_VERSION_PATCH 0

/// The same as one number, to compare: 0.1.0 is 100, 1.2.3 is 10203.
#define TROUPE_VERSION \
  (TROUPE_VERSION_MAJOR * 10000 + TROUPE_VERSION_MINOR * 100 + TROUPE_VERSION_PATCH)

// Every header leads here, so that where troupe cannot work this is the first thing that is said.
#if !defined(__linux__)
#error "troupe works on Linux only"
#elif !defined(__x86_64__) && !defined(__aarch64__) || !defined(__LP64__)
#error "troupe works on x86-64 and arm64 only, with pointers of 64 bits"
#elif __cplusplus < 202002L || !defined(__cpp_impl_coroutine)
#error "troupe needs C++20 with coroutines: compile with -std=c++20"
#elif !defined(__cpp_exceptions)
#error "troupe needs exceptions: compile without -fno-exceptions"
#elif !defined(__cpp_rtti)
#error "troupe needs RTTI: compile without -fno-rtti"
#endif

#define TROUPE_DETAIL_TEXT_OF(number) #number
#define TROUPE_DETAIL_VERSION_TEXT(major, minor, patch) \
  TROUPE_DETAIL_TEXT_OF(major) "." TROUPE_DETAIL_TEXT_OF(minor) "." TROUPE_DETAIL_TEXT_OF(patch)

namespace troupe::inline v0_1 {

/// The version in words, "major.minor.patch".
inline constexpr const char* version_string =
    TROUPE_DETAIL_VERSION_TEXT(TROUPE_VERSION_MAJOR, TROUPE_VERSION_MINOR, TROUPE_VERSION_PATCH);

}  // namespace troupe::inline v0_1
