# The libraries that drover is linked with: found here for the build, and by drover-config.cmake for programs that link drover's.
# Data, then one macro; FINDER is find_package or find_dependency.
set(drover_cmake_packages Threads nlohmann_json)
set(drover_pkgconfig_modules "")
if(NOT DROVER_CORE_ONLY)
  list(APPEND drover_cmake_packages CURL LibArchive OpenSSL PkgConfig)
  set(drover_pkgconfig_modules zstd=libzstd isal=libisal fyaml=libfyaml)  # target PkgConfig::<left side>
endif()

macro(drover_find_dependencies finder)
  foreach(package IN LISTS drover_cmake_packages)
    cmake_language(CALL ${finder} ${package} ${ARGN})
  endforeach()
  foreach(row IN LISTS drover_pkgconfig_modules)
    string(REPLACE "=" ";" row ${row})
    list(GET row 0 target)
    list(GET row 1 module)
    pkg_check_modules(${target} REQUIRED IMPORTED_TARGET ${module})
  endforeach()
endmacro()
