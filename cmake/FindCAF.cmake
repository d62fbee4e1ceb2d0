# Finds the C++ Actor Framework, for which Debian ships no package config.
# Defines CAF_FOUND, CAF_VERSION and the targets CAF::core, CAF::io and CAF::openssl.

find_path(CAF_INCLUDE_DIR caf/all.hpp)
foreach(part IN ITEMS core io openssl)
  find_library(CAF_${part}_LIBRARY caf_${part})
  mark_as_advanced(CAF_${part}_LIBRARY)
endforeach()
mark_as_advanced(CAF_INCLUDE_DIR)

# CAF_VERSION is one number: 1706 is 0.17.6.
foreach(header IN ITEMS caf/config.hpp caf/detail/build_config.hpp)
  if(NOT CAF_VERSION AND EXISTS "${CAF_INCLUDE_DIR}/${header}")
    file(STRINGS "${CAF_INCLUDE_DIR}/${header}" line REGEX "^#define CAF_VERSION [0-9]+")
    if(line MATCHES "([0-9]+)$")
      math(EXPR major "${CMAKE_MATCH_1} / 10000")
      math(EXPR minor "${CMAKE_MATCH_1} / 100 % 100")
      math(EXPR patch "${CMAKE_MATCH_1} % 100")
      set(CAF_VERSION "${major}.${minor}.${patch}")
    endif()
  endif()
endforeach()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  CAF
  REQUIRED_VARS CAF_core_LIBRARY CAF_io_LIBRARY CAF_openssl_LIBRARY CAF_INCLUDE_DIR
  VERSION_VAR CAF_VERSION
  REASON_FAILURE_MESSAGE "Install libcaf-dev, or leave CAF out with -DTROUPE_WITH_CAF=OFF")

if(CAF_FOUND)
  foreach(part IN ITEMS core io openssl)
    if(NOT TARGET CAF::${part})
      add_library(CAF::${part} UNKNOWN IMPORTED)
      set_target_properties(
        CAF::${part} PROPERTIES IMPORTED_LOCATION "${CAF_${part}_LIBRARY}"
                                INTERFACE_INCLUDE_DIRECTORIES "${CAF_INCLUDE_DIR}")
      if(NOT part STREQUAL "core")
        set_property(TARGET CAF::${part} PROPERTY INTERFACE_LINK_LIBRARIES CAF::core)
      endif()
    endif()
  endforeach()
  set_property(TARGET CAF::openssl APPEND PROPERTY INTERFACE_LINK_LIBRARIES CAF::io)
endif()
