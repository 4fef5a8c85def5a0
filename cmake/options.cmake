option(DROVER_UNITY_TESTS "The tests as unity builds, also where the product is none (docs/decisions/0016-unity-builds.md)" OFF)

# Warnings and sanitizers reach every target of the project through one interface target, and nothing else does.
add_library(drover_options INTERFACE)
target_compile_options(drover_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast
                                                $<$<BOOL:${DROVER_WERROR}>:-Werror>)
# What files of a unity build are to each other is no fault of theirs: a local name that another one has at its top, a class over a type of
# the anonymous namespace of a file that is not the main one.
target_compile_options(drover_options INTERFACE "$<$<BOOL:$<TARGET_PROPERTY:UNITY_BUILD>>:-Wno-shadow;-Wno-subobject-linkage>")
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
