# SPDX-License-Identifier: Apache-2.0
# Tests of the project as a whole, run by Python: the rules of the house, and everything tests/tools/*_test.py says.
find_package(Python3 COMPONENTS Interpreter)
if(NOT Python3_FOUND)
  return()
endif()
foreach(_rules include_rules file_rules format_rules)
  add_test(NAME ${_rules} COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/tools/${_rules}.py ${CMAKE_SOURCE_DIR})
  set_tests_properties(${_rules} PROPERTIES SKIP_RETURN_CODE 77 ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
endforeach()
file(GLOB _python_tests CONFIGURE_DEPENDS tools/*_test.py)
foreach(_file IN LISTS _python_tests)
  get_filename_component(_name ${_file} NAME_WE)
  add_test(NAME ${_name} COMMAND ${Python3_EXECUTABLE} ${_file} -v)
  set_tests_properties(${_name} PROPERTIES SKIP_RETURN_CODE 77
    ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1;GENEXX_BUILD_DIR=${CMAKE_BINARY_DIR};GENEXX_SOURCE_DIR=${CMAKE_SOURCE_DIR}")
endforeach()
