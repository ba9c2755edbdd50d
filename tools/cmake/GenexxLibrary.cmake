# SPDX-License-Identifier: Apache-2.0
# libgenexx: the four rooms in one library; three where the build leaves out io.
add_library(genexx ${GENEXX_LIBRARY_TYPE}
  $<TARGET_OBJECTS:genexx_engine> $<TARGET_OBJECTS:genexx_kernels> $<TARGET_OBJECTS:genexx_models>
  $<$<BOOL:${GENEXX_IO}>:$<TARGET_OBJECTS:genexx_io>>)
add_library(genexx::genexx ALIAS genexx)
target_link_libraries(genexx PUBLIC genexx_usage PRIVATE ${GENEXX_LINK_LIBRARIES} ${CMAKE_DL_LIBS})
if(PROJECT_IS_TOP_LEVEL)
  target_link_libraries(genexx PUBLIC $<BUILD_INTERFACE:genexx_flags>)  # our own programs and tests
endif()
