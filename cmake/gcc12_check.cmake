# g++ before 12.3 copies an aggregate temporary bit by bit into the coroutine frame when its full
# expression contains co_await. This runs the smallest program that shows it and says what it means.

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND NOT CMAKE_CROSSCOMPILING)
  if(NOT DEFINED TROUPE_CO_AWAIT_AGGREGATE)
    try_run(
      TROUPE_CO_AWAIT_AGGREGATE TROUPE_CO_AWAIT_AGGREGATE_COMPILES
      "${PROJECT_BINARY_DIR}/gcc12_check" "${CMAKE_CURRENT_LIST_DIR}/gcc12_check.cpp"
      CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF)
  endif()
  if(NOT TROUPE_CO_AWAIT_AGGREGATE_COMPILES)
    message(FATAL_ERROR "troupe: ${CMAKE_CXX_COMPILER} cannot compile a C++20 coroutine")
  elseif(NOT TROUPE_CO_AWAIT_AGGREGATE EQUAL 0)
    message(
      WARNING
        "troupe: this compiler (g++ ${CMAKE_CXX_COMPILER_VERSION}) miscompiles an aggregate "
        "temporary in an expression with co_await. Write `co_await to.ask<message>(fields...)` or "
        "`co_await to.ask(take(m))` in place of `co_await to.ask(message{...})`, or use g++ 12.3 "
        "or newer, or clang.")
  endif()
endif()
