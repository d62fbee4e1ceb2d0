# troupe_library(<target>): what our libraries with code have in common.
#
# A shared one exports by a list of names, exports.map, and not by marks at the 150 headers: the
# names say it already, and a mark that is forgotten would be seen by a user first. So its own units
# are compiled with default visibility, whatever the project asks for; a static one follows that.
function(troupe_library target)
  troupe_warnings(${target})
  get_target_property(type ${target} TYPE)
  if(NOT type STREQUAL "SHARED_LIBRARY")
    return()
  endif()
  set(exports "${PROJECT_SOURCE_DIR}/cmake/exports.map")
  set_target_properties(
    ${target} PROPERTIES VERSION ${PROJECT_VERSION}
                         SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
                         CXX_VISIBILITY_PRESET default VISIBILITY_INLINES_HIDDEN OFF
                         DEFINE_SYMBOL "" LINK_DEPENDS "${exports}"
                         # A program's path counts for what it names itself; they find the rest.
                         INSTALL_RPATH "$ORIGIN")
  target_link_options(${target} PRIVATE "LINKER:--version-script=${exports}")
  if(NOT TROUPE_SANITIZE) # What a sanitizer needs is in the program alone.
    target_link_options(${target} PRIVATE LINKER:--no-undefined)
  endif()
  # Nobody replaces a function of ours by one of his own; so they may be inlined as ever.
  target_compile_options(${target} PRIVATE -fno-semantic-interposition)
endfunction()
