# drover_library(ROOM SOURCES... [PUBLIC targets...] [PRIVATE targets...])
# One static library a folder, drover_ROOM with alias drover::ROOM; every .h of the folder is installed with it.
function(drover_library room)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(drover_${room} STATIC ${ARG_SOURCES})
  add_library(drover::${room} ALIAS drover_${room})
  set_target_properties(drover_${room} PROPERTIES EXPORT_NAME ${room})
  target_include_directories(drover_${room} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
                                                   $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/drover>)
  target_link_libraries(drover_${room} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE} $<BUILD_INTERFACE:drover_options>)
  target_compile_features(drover_${room} PUBLIC cxx_std_20)
  install(TARGETS drover_${room} EXPORT drover ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/drover/${room} FILES_MATCHING PATTERN "*.h")
endfunction()

# isa_sources(TARGET FILE FLAGS...): a file an instruction set, with flags of its own.
function(isa_sources target file)
  target_sources(${target} PRIVATE ${file})
  set_source_files_properties(${file} PROPERTIES COMPILE_OPTIONS "${ARGN}")
endfunction()
