# SPDX-License-Identifier: Apache-2.0
# `cmake --install`: the library with its headers, the CMake package, the pkg-config file, the program.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS genexx genexx_usage EXPORT genexx
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT Development
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT Runtime NAMELINK_COMPONENT Development
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/genexx)
# The headers keep their rooms, so an outside program writes #include "engine/csr_matrix.h" as we do.
foreach(_room engine models io kernels)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${_room}/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/genexx/${_room}
    COMPONENT Development FILES_MATCHING PATTERN "*.h"
    PATTERN cuda EXCLUDE PATTERN "nccl*.h" EXCLUDE PATTERN device EXCLUDE PATTERN simd EXCLUDE
    PATTERN "*_cuda.h" EXCLUDE PATTERN launch.h EXCLUDE PATTERN dropout_row.h EXCLUDE PATTERN "*_cpu.h" EXCLUDE
    # These speak HDF5, which an outside program need not have.
    PATTERN "hdf5*.h" EXCLUDE PATTERN "h5ad_*.h" EXCLUDE PATTERN "gctx_writer.h" EXCLUDE
    PATTERN "scope_clusterings.h" EXCLUDE)
endforeach()

set(_package ${CMAKE_INSTALL_LIBDIR}/cmake/genexx)
install(EXPORT genexx NAMESPACE genexx:: FILE genexxTargets.cmake DESTINATION ${_package} COMPONENT Development)
configure_package_config_file(${PROJECT_SOURCE_DIR}/tools/cmake/genexxConfig.cmake.in
  ${PROJECT_BINARY_DIR}/generated/genexxConfig.cmake INSTALL_DESTINATION ${_package})
# Before 1.0 a minor version may change anything.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/generated/genexxConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/generated/genexxConfig.cmake ${PROJECT_BINARY_DIR}/generated/genexxConfigVersion.cmake
  DESTINATION ${_package} COMPONENT Development)

# pkg-config: what the static library needs, as linker words.
set(_private "")
foreach(_item IN LISTS GENEXX_LINK_LIBRARIES CMAKE_DL_LIBS)
  if(_item STREQUAL "CUDA::cudart_static")
    string(APPEND _private " -L${CUDAToolkit_LIBRARY_DIR} -lcudart_static -lrt")
  elseif(_item STREQUAL "ZLIB::ZLIB")
    string(APPEND _private " -lz")
  elseif(IS_ABSOLUTE "${_item}")
    string(APPEND _private " ${_item}")
  elseif(_item)
    string(APPEND _private " -l${_item}")
  endif()
endforeach()
string(STRIP "${_private} -lpthread" GENEXX_PKGCONFIG_LIBS)
file(RELATIVE_PATH GENEXX_PKGCONFIG_PREFIX "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
string(REGEX REPLACE "/$" "" GENEXX_PKGCONFIG_PREFIX "${GENEXX_PKGCONFIG_PREFIX}")
configure_file(${PROJECT_SOURCE_DIR}/tools/cmake/genexx.pc.in ${PROJECT_BINARY_DIR}/generated/genexx.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/generated/genexx.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
  COMPONENT Development)

if(GENEXX_TOOLS)
  install(TARGETS genexx_program DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT Runtime)
endif()
if(GENEXX_HAS_MPI)
  install(TARGETS genexx_mpi LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/genexx COMPONENT Runtime)
endif()
