# What our own builds use beside the presets: C++20, hidden symbols, ccache and mold when they are
# there, the sanitizers. A project that adds troupe as a subdirectory decides all this itself.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set_property(GLOBAL PROPERTY USE_FOLDERS ON)

find_program(TROUPE_CCACHE ccache)
if(TROUPE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${TROUPE_CCACHE}")
endif()

find_program(TROUPE_MOLD mold)
if(TROUPE_MOLD)
  include(CheckLinkerFlag)
  check_linker_flag(CXX -fuse-ld=mold TROUPE_LINKS_WITH_MOLD)
  if(TROUPE_LINKS_WITH_MOLD)
    add_link_options(-fuse-ld=mold)
  endif()
endif()

if(TROUPE_SANITIZE MATCHES "^(asan|fuzz)$")
  # Without vptr: it opens a pipe for each type it meets first, and tests run out of descriptors.
  set(flags -fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=all)
  if(TROUPE_SANITIZE STREQUAL "fuzz") # libFuzzer is told where an input has led, and we are too.
    list(APPEND flags -fsanitize=fuzzer-no-link -fprofile-instr-generate -fcoverage-mapping)
  endif()
elseif(TROUPE_SANITIZE STREQUAL "tsan")
  set(flags -fsanitize=thread)
elseif(TROUPE_SANITIZE)
  message(FATAL_ERROR
          "troupe: TROUPE_SANITIZE is '${TROUPE_SANITIZE}'; use asan, tsan, fuzz or nothing")
endif()
if(TROUPE_SANITIZE)
  add_compile_options(${flags})
  add_link_options(${flags})
endif()
unset(flags)
