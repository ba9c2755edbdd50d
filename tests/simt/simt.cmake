# SPDX-License-Identifier: Apache-2.0
# genexx_emulated_tests: the library once more, with every kernels/*_cuda.cu compiled as C++ and run by the emulator in
# this folder, and the tests of kernels and models over it. Needs no CUDA toolkit.
set(_simt "${CMAKE_CURRENT_SOURCE_DIR}/simt")

file(GLOB _simt_library CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/engine/*.cc" "${CMAKE_SOURCE_DIR}/kernels/*.cc"
     "${CMAKE_SOURCE_DIR}/kernels/simd/*.cc")
list(FILTER _simt_library EXCLUDE REGEX "_cuda\\.cc$")  # calls of CUDA libraries: replaced by simt/*_emulated.cc
file(GLOB _simt_kernels CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/kernels/*_cuda.cu")
file(GLOB _simt_replacements CONFIGURE_DEPENDS simt/*_emulated.cc)
file(GLOB _simt_tests CONFIGURE_DEPENDS simt/*_test.cc kernels/*_test.cc)
file(GLOB _simt_model_tests CONFIGURE_DEPENDS models/*_test.cc models/*/*_test.cc simt/training_*_test.cc)
list(REMOVE_ITEM _simt_tests ${_simt_model_tests})
file(GLOB _simt_support CONFIGURE_DEPENDS support/*.cc)
list(FILTER _simt_support EXCLUDE REGEX "/main\\.cc$")  # emulated_main.cc instead

# In this directory the kernels are C++; in kernels/ the same files still go to nvcc.
set_source_files_properties(${_simt_kernels} PROPERTIES LANGUAGE CXX)

# What engine/ and kernels/ said of single sources: instruction sets, definitions.
foreach(_source IN LISTS _simt_library)
  get_filename_component(_room "${_source}" DIRECTORY)
  string(REGEX REPLACE "/simd$" "" _room "${_room}")
  foreach(_property COMPILE_OPTIONS COMPILE_DEFINITIONS)
    get_source_file_property(_value "${_source}" DIRECTORY "${_room}" ${_property})
    if(_value)
      set_source_files_properties("${_source}" PROPERTIES ${_property} "${_value}")
    endif()
  endforeach()
endforeach()

# The machine itself must stay invisible to the sanitizers that watch the kernels; see machine.h.
add_library(genexx_simt OBJECT simt/device_memory.cc simt/execution.cc simt/failures.cc simt/fiber.cc simt/rendezvous.cc
            simt/stream.cc)
target_link_libraries(genexx_simt PUBLIC genexx_flags)
target_compile_definitions(genexx_simt PUBLIC GENEXX_WITH_CUDA GENEXX_SIMT)
if(GENEXX_SANITIZE STREQUAL "address")
  target_compile_definitions(genexx_simt PUBLIC GENEXX_SIMT_ASAN)
elseif(GENEXX_SANITIZE STREQUAL "thread")
  target_compile_definitions(genexx_simt PUBLIC GENEXX_SIMT_TSAN)
endif()
if(GENEXX_SANITIZE)
  set_source_files_properties(simt/execution.cc simt/fiber.cc simt/rendezvous.cc PROPERTIES
                              COMPILE_OPTIONS "-fno-sanitize=all")
endif()

add_library(genexx_emulated_support STATIC ${_simt_support})  # linked as far as it is used
target_link_libraries(genexx_emulated_support PUBLIC genexx_simt)
add_executable(genexx_emulated_tests simt/emulated_main.cc ${_simt_library} ${_simt_kernels} ${_simt_replacements}
               ${_simt_tests})
target_link_libraries(genexx_emulated_tests PRIVATE genexx_emulated_support)
if(NOT GENEXX_SANITIZE)  # the sanitizers watch kernels; models launch no others, and take minutes to compile
  target_sources(genexx_emulated_tests PRIVATE ${_simt_model_tests} $<TARGET_OBJECTS:genexx_models>
                 $<TARGET_OBJECTS:genexx_io>)
endif()
target_compile_options(genexx_emulated_support PUBLIC -O1)
target_include_directories(genexx_emulated_support SYSTEM PUBLIC ${DOCTEST_INCLUDE_DIR} ${HDF5_C_INCLUDE_DIRS})
target_link_libraries(genexx_emulated_tests PRIVATE Eigen3::Eigen ${GENEXX_LINK_LIBRARIES} ${CMAKE_DL_LIBS})

# GPU threads run in each of these orders, unwritten memory holds both fills, and work is done when it is given or when it
# is waited for; results may not depend on any. What
# a sanitizer sees does not depend on them, so one is enough there.
set(_orders "forward" "reverse,large,queued" "random:1,queued")
if(GENEXX_SANITIZE)
  set(_orders "random:1")
endif()
set(_emulated "")
foreach(_order IN LISTS _orders)
  string(REGEX MATCH "^[a-z]+" _name "${_order}")
  add_test(NAME "emulated-${_name}" COMMAND genexx_emulated_tests)
  set_tests_properties("emulated-${_name}" PROPERTIES ENVIRONMENT "GENEXX_SIMT_ORDER=${_order}" TIMEOUT 900)
  list(APPEND _emulated "emulated-${_name}")
endforeach()

# Seeded faults, each in a process of its own, because a sanitizer's report ends it. A build that does not report a known
# race, or reports one in a right kernel, proves nothing: that is the first test, and the others need it.
find_package(Python3 COMPONENTS Interpreter)
set_source_files_properties(simt/faults/seeded_faults.cu PROPERTIES LANGUAGE CXX)
add_executable(genexx_emulated_faults simt/faults/seeded_faults.cu "${CMAKE_SOURCE_DIR}/engine/device_failure.cc")
target_link_libraries(genexx_emulated_faults PRIVATE genexx_simt)
if(Python3_FOUND)
  set(_mode "${GENEXX_SANITIZE}")
  if(NOT _mode)
    set(_mode plain)
  endif()
  set(_faults ${Python3_EXECUTABLE} "${_simt}/faults/faults_test.py" $<TARGET_FILE:genexx_emulated_faults> ${_mode})
  add_test(NAME emulated-canary COMMAND ${_faults} no_barrier_before_read block_reduction)
  add_test(NAME emulated-faults COMMAND ${_faults})
  add_test(NAME kernel_rules COMMAND ${Python3_EXECUTABLE} "${_simt}/kernel_rules.py" "${CMAKE_SOURCE_DIR}")
  add_test(NAME kernel_rules_test COMMAND ${Python3_EXECUTABLE} "${_simt}/kernel_rules_test.py")
  set_tests_properties(emulated-canary PROPERTIES FIXTURES_SETUP simt)
  set_tests_properties(emulated-canary emulated-faults kernel_rules kernel_rules_test PROPERTIES
                       ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
  set_tests_properties(${_emulated} PROPERTIES FIXTURES_REQUIRED simt)
endif()
