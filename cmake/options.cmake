# Warnings and sanitizers reach every target of the project through one interface target, and nothing else does.
add_library(drover_options INTERFACE)
target_compile_options(drover_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast
                                                $<$<BOOL:${DROVER_WERROR}>:-Werror>)
if(DROVER_SANITIZE)
  target_compile_options(drover_options INTERFACE -fsanitize=${DROVER_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(drover_options INTERFACE -fsanitize=${DROVER_SANITIZE})
endif()

# Both only make the build shorter; both are used when found. lld only where nothing is optimised: of two unwind entries at one address
# lld 14 keeps the first, and when that is of an empty `.cold` part, what the function behind it throws ends the program.
find_program(DROVER_CCACHE ccache)
if(DROVER_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${DROVER_CCACHE})
endif()
find_program(DROVER_LLD ld.lld)
if(DROVER_LLD AND NOT CMAKE_CROSSCOMPILING)  # a cross g++ looks for it under its own prefix
  target_link_options(drover_options INTERFACE $<$<CONFIG:Debug>:-fuse-ld=lld>)
endif()
