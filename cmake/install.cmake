# What `cmake --install` and cpack take: every component with its headers, the package for
# find_package(), troupe.pc for pkg-config, the helpers for gdb.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

function(troupe_install)
  set(config_dir "${CMAKE_INSTALL_LIBDIR}/cmake/troupe")
  get_property(components GLOBAL PROPERTY TROUPE_COMPONENTS)
  get_property(together GLOBAL PROPERTY TROUPE_DEPENDS_OF_troupe)
  set(apart ${components})
  list(REMOVE_ITEM apart ${together})
  list(APPEND components troupe)
  list(JOIN apart ", " apart_text)

  set(facts "")
  set(libraries "") # Highest first: a static library stands before those that it uses.
  set(kind "")
  foreach(component IN LISTS components)
    set(target troupe_${component})
    set(include_dir "${CMAKE_INSTALL_INCLUDEDIR}")
    if(component STREQUAL "actors")
      set(include_dir "${include_dir}/troupe-actors") # For <actors/...>, which is nobody's name.
    endif()
    install(TARGETS ${target} EXPORT troupe-${component}
            FILE_SET HEADERS DESTINATION "${include_dir}")
    install(EXPORT troupe-${component} NAMESPACE troupe:: DESTINATION "${config_dir}")

    foreach(what IN ITEMS DEPENDS PACKAGES)
      get_property(list GLOBAL PROPERTY TROUPE_${what}_OF_${component})
      string(APPEND facts "set(troupe_${what}_OF_${component} \"${list}\")\n")
    endforeach()
    get_target_property(type ${target} TYPE)
    if(NOT type STREQUAL "INTERFACE_LIBRARY" AND NOT component IN_LIST apart)
      list(PREPEND libraries -l${target})
      set(kind ${type})
    endif()
  endforeach()

  configure_package_config_file(cmake/troupeConfig.cmake.in troupeConfig.cmake
                                INSTALL_DESTINATION "${config_dir}" NO_SET_AND_CHECK_MACRO
                                NO_CHECK_REQUIRED_COMPONENTS_MACRO)
  write_basic_package_version_file(troupeConfigVersion.cmake COMPATIBILITY SameMinorVersion)
  install(FILES "${PROJECT_BINARY_DIR}/troupeConfig.cmake"
                "${PROJECT_BINARY_DIR}/troupeConfigVersion.cmake" DESTINATION "${config_dir}")
  if("caf" IN_LIST components)
    install(FILES cmake/FindCAF.cmake DESTINATION "${config_dir}/modules")
  endif()

  # For pkg-config: all that troupe::troupe stands for. Debian has no mimalloc.pc.
  set(public_libraries "")
  set(private_libraries -lbacktrace -ldl)
  if(TARGET mimalloc)
    list(APPEND private_libraries -lmimalloc)
  endif()
  if(kind STREQUAL "STATIC_LIBRARY")
    set(public_libraries ${private_libraries})
    set(private_libraries "")
  endif()
  list(JOIN public_libraries " " public_libraries)
  list(JOIN private_libraries " " private_libraries)
  list(JOIN libraries " " libraries)
  set(pc_dir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
  string(REGEX REPLACE "[^/]+" ".." to_prefix "${pc_dir}")
  configure_file(cmake/troupe.pc.in troupe.pc @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/troupe.pc" DESTINATION "${pc_dir}")
  install(FILES tools/gdb/troupe-gdb.py DESTINATION "${CMAKE_INSTALL_DATAROOTDIR}/troupe/gdb")
  install(FILES LICENSE README.md DESTINATION "${CMAKE_INSTALL_DOCDIR}")
  install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DATAROOTDIR}/doc/troupe-dev" RENAME copyright)
endfunction()

troupe_install()
