# troupe_warnings(<target>): the warnings of this project, as errors, for our own targets only.
function(troupe_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)
endfunction()
