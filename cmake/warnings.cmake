# troupe_warnings(<target>): the warnings of this project, as errors, for our own targets only, and
# not in the build of another project, whatever that asks of its own.
function(troupe_warnings target)
  if(TROUPE_WARNINGS)
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)
  else()
    set_target_properties(${target} PROPERTIES COMPILE_WARNING_AS_ERROR OFF)
  endif()
endfunction()
