# Target `reference`: pages of the library's headers in <build>/reference/html; warnings are errors.
find_program(DROVER_DOXYGEN doxygen)
if(NOT DROVER_DOXYGEN)
  return()
endif()
set(DROVER_REFERENCE_INPUT ${DROVER_LIBRARIES})
list(TRANSFORM DROVER_REFERENCE_INPUT PREPEND "\"${PROJECT_SOURCE_DIR}/")
list(TRANSFORM DROVER_REFERENCE_INPUT APPEND "\"")
list(JOIN DROVER_REFERENCE_INPUT " " DROVER_REFERENCE_INPUT)
configure_file(docs/reference/Doxyfile.in ${CMAKE_BINARY_DIR}/reference/Doxyfile @ONLY)
add_custom_target(reference COMMAND ${DROVER_DOXYGEN} ${CMAKE_BINARY_DIR}/reference/Doxyfile VERBATIM
                            COMMENT "The reference: ${CMAKE_BINARY_DIR}/reference/html/index.html")
