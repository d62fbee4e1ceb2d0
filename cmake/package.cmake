# The packages that cpack makes: a .deb and a .tar.gz of what install.cmake installs, as one piece.

set(CPACK_PACKAGE_NAME troupe)
set(CPACK_PACKAGE_VENDOR troupe)
set(CPACK_PACKAGE_CONTACT "the authors of troupe")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION} (development files)")
set(CPACK_PACKAGE_DESCRIPTION
    "Tasks, channels, actors and network I/O as a static library, with headers and the files for
CMake, pkg-config and gdb.")
set(CPACK_RESOURCE_FILE_LICENSE "${PROJECT_SOURCE_DIR}/LICENSE")
set(CPACK_GENERATOR TGZ DEB)
set(CPACK_SOURCE_GENERATOR "")
set(CPACK_PACKAGING_INSTALL_PREFIX "${CMAKE_INSTALL_PREFIX}")
set(CPACK_STRIP_FILES OFF) # Of a static library nothing would be left.

set(CPACK_DEBIAN_PACKAGE_NAME troupe-dev)
set(CPACK_DEBIAN_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
# dpkg-shlibdeps sees nothing in a static library, so what its users link and include is named here.
set(depends libboost1.81-dev "libfmt-dev (>= 9.1)" libstdc++-12-dev)
if(TARGET mimalloc)
  list(APPEND depends "libmimalloc-dev (>= 2.0)")
endif()
list(JOIN depends ", " CPACK_DEBIAN_PACKAGE_DEPENDS)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "cmake (>= 3.25), pkgconf, gdb")
# Only those who ask for the component need its library.
set(recommended "")
if(TARGET troupe_caf)
  list(APPEND recommended "libcaf-dev (>= 0.17.6)")
endif()
if(TARGET troupe_tls)
  list(APPEND recommended "libssl-dev (>= 3.0)")
endif()
list(JOIN recommended ", " CPACK_DEBIAN_PACKAGE_RECOMMENDS)
unset(depends)
unset(recommended)

include(CPack)
