# SPDX-License-Identifier: Apache-2.0
# What every target shares, and the one way to make a room of the house into an object library.
# genexx_usage is what a user of the library needs; genexx_flags is how we compile ourselves and is never installed.
add_library(genexx_usage INTERFACE)
target_include_directories(genexx_usage INTERFACE
  "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>" "$<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/generated>")
target_compile_features(genexx_usage INTERFACE cxx_std_20)
target_link_libraries(genexx_usage INTERFACE Threads::Threads fmt::fmt-header-only nlohmann_json::nlohmann_json)
add_library(genexx_flags INTERFACE)
target_link_libraries(genexx_flags INTERFACE genexx_usage)
target_compile_options(genexx_flags INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wno-missing-field-initializers -ffp-contract=off -march=x86-64-v2>
  $<$<COMPILE_LANGUAGE:CUDA>:-Wno-deprecated-gpu-targets --expt-relaxed-constexpr --extended-lambda>)
if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  message(FATAL_ERROR "Genexx is tried on x86-64 only; this is ${CMAKE_SYSTEM_PROCESSOR}.")
endif()
if(GENEXX_WERROR)
  target_compile_options(genexx_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
endif()
if(GENEXX_SANITIZE STREQUAL "address")
  set(_genexx_sanitize -fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=all -fno-omit-frame-pointer -O1 -g1)
elseif(GENEXX_SANITIZE STREQUAL "thread")
  set(_genexx_sanitize -fsanitize=thread -fno-omit-frame-pointer -O1 -g1)
elseif(GENEXX_SANITIZE)
  message(FATAL_ERROR "GENEXX_SANITIZE is '${GENEXX_SANITIZE}', expected empty, address or thread")
endif()
if(GENEXX_SANITIZE)
  target_compile_options(genexx_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:${_genexx_sanitize}>)
  target_link_options(genexx_flags INTERFACE ${_genexx_sanitize})
endif()

# genexx_room(NAME SOURCES...): an object library named NAME with the shared flags.
function(genexx_room name)
  add_library(${name} OBJECT ${ARGN})
  target_link_libraries(${name} PUBLIC genexx_flags)
endfunction()
