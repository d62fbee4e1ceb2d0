# troupe_layer(<name> [APART] [DEPENDS <layer>...] [LINK <library>...] [PACKAGES <package>...])
#
# Makes the target troupe_<name>, alias troupe::<name>, of what lies in framework/troupe/<name>/:
# headers go into a file set whose every header must compile alone (part of `./dev tidy`, target
# all_verify_interface_header_sets), sources beside them into a library, shared or static as
# BUILD_SHARED_LIBS says. Without sources it is an INTERFACE library. DEPENDS names lower layers,
# LINK foreign libraries; users get both. APART keeps it out of troupe::troupe, which stands for all
# the others. It can be installed, see troupe_component().
function(troupe_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 layer "APART" "" "DEPENDS;LINK;PACKAGES")
  set(root "${PROJECT_SOURCE_DIR}/framework")
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS "${root}/troupe/${name}/*.hpp")
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${root}/troupe/${name}/*.cpp")

  set(target troupe_${name})
  if(sources)
    add_library(${target} ${sources})
    set(scope PUBLIC)
    troupe_library(${target})
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  add_library(troupe::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)

  target_sources(${target} ${scope} FILE_SET HEADERS BASE_DIRS "${root}" FILES ${headers})
  target_compile_features(${target} ${scope} cxx_std_20)
  # Without it, symmetric transfer grows the stack below -O2 (user units contain coroutines too).
  target_compile_options(${target} ${scope} $<$<CXX_COMPILER_ID:GNU>:-foptimize-sibling-calls>)
  set(depends ${layer_DEPENDS})
  list(TRANSFORM depends PREPEND troupe::)
  target_link_libraries(${target} ${scope} ${depends} ${layer_LINK})
  set(apart "")
  if(layer_APART)
    set(apart APART)
  endif()
  troupe_component(${name} ${apart} DEPENDS ${layer_DEPENDS} PACKAGES ${layer_PACKAGES})
endfunction()

# troupe_component(<name> [APART] [DEPENDS <component>...] [PACKAGES <package>...])
#
# Makes troupe_<name> a component that `find_package(troupe COMPONENTS <name>)` finds. PACKAGES says
# what such a find_package looks for beside the components of DEPENDS: each as the words of one
# find_package(), as in "Boost 1.81 CONFIG".
function(troupe_component name)
  cmake_parse_arguments(PARSE_ARGV 1 component "APART" "" "DEPENDS;PACKAGES")
  set_target_properties(troupe_${name} PROPERTIES EXPORT_NAME ${name})
  set_property(GLOBAL APPEND PROPERTY TROUPE_COMPONENTS ${name})
  set_property(GLOBAL PROPERTY TROUPE_DEPENDS_OF_${name} ${component_DEPENDS})
  set_property(GLOBAL PROPERTY TROUPE_PACKAGES_OF_${name} ${component_PACKAGES})
  if(NOT component_APART)
    target_link_libraries(troupe_troupe INTERFACE troupe::${name})
    set_property(GLOBAL APPEND PROPERTY TROUPE_DEPENDS_OF_troupe ${name})
  endif()
endfunction()

add_library(troupe_troupe INTERFACE)
add_library(troupe::troupe ALIAS troupe_troupe)
file(GLOB headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/framework/troupe/*.hpp")
target_sources(troupe_troupe INTERFACE FILE_SET HEADERS
                                       BASE_DIRS "${PROJECT_SOURCE_DIR}/framework" FILES ${headers})
unset(headers)
set_target_properties(troupe_troupe PROPERTIES EXPORT_NAME troupe VERIFY_INTERFACE_HEADER_SETS ON)
