# SPDX-License-Identifier: Apache-2.0
# libgenexx: the four rooms in one library.
add_library(genexx ${GENEXX_LIBRARY_TYPE}
  $<TARGET_OBJECTS:genexx_engine> $<TARGET_OBJECTS:genexx_kernels> $<TARGET_OBJECTS:genexx_models>
  $<TARGET_OBJECTS:genexx_io>)
add_library(genexx::genexx ALIAS genexx)
target_link_libraries(genexx PUBLIC genexx_flags PRIVATE ${GENEXX_LINK_LIBRARIES} ${CMAKE_DL_LIBS})
