# drover_test(NAME SOURCES... LIBRARIES... LABEL unit|module|integration [TIMEOUT seconds])
# One executable a room and label, run as one ctest test of that label; exit code 77 is a skip, never a pass.
add_custom_target(unit_and_module_tests)

# A test's own code is not what is tested: unoptimised it compiles in a third of the time. The product's line tables would make each
# program 60 MB instead of 9, and three times as long to link.
add_library(drover_test_options INTERFACE)
target_compile_options(drover_test_options INTERFACE "$<$<CONFIG:RelWithDebInfo>:-O0;-g0>")
target_link_options(drover_test_options INTERFACE $<$<CONFIG:RelWithDebInfo>:-Wl,--strip-debug>)

function(drover_test name)
  cmake_parse_arguments(ARG "" "LABEL;TIMEOUT" "SOURCES;LIBRARIES" ${ARGN})
  if(NOT ARG_LABEL MATCHES "^(unit|module|integration)$")
    message(FATAL_ERROR "drover_test(${name}): LABEL is unit, module or integration")
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES} drover_test_main drover_test_options drover_options drover_boost)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_test(NAME ${name} COMMAND ${name} --log_level=message --catch_system_errors=no)
  set_tests_properties(${name} PROPERTIES LABELS ${ARG_LABEL} SKIP_RETURN_CODE 77 TIMEOUT ${ARG_TIMEOUT})
  if(ARG_LABEL STREQUAL "integration")
    set_tests_properties(${name} PROPERTIES RUN_SERIAL TRUE)
  else()
    add_dependencies(unit_and_module_tests ${name})
  endif()
endfunction()

# Boost.Test is compiled once for all programs, from its headers: a cross build has no library of it. Only boost/ itself is put on the
# include path, so that a cross build does not see the host's libraries.
find_path(DROVER_BOOST_PARENT boost/test/included/unit_test.hpp PATHS /usr/include NO_CMAKE_FIND_ROOT_PATH REQUIRED)
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/boost_only)
file(CREATE_LINK ${DROVER_BOOST_PARENT}/boost ${CMAKE_BINARY_DIR}/boost_only/boost SYMBOLIC)
add_library(drover_boost INTERFACE)
target_include_directories(drover_boost SYSTEM INTERFACE ${CMAKE_BINARY_DIR}/boost_only)
add_library(drover_test_main OBJECT ${PROJECT_SOURCE_DIR}/tests/support/main.cc)
target_link_libraries(drover_test_main PRIVATE drover_test_options drover_options drover_boost)
