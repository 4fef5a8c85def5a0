# Who may include whom. Data only: cmake/check_layers.cmake reads it, ctest `layers` runs that.

# Every room, and the rooms whose headers its files may include beside its own.
set(layer_rooms base digest manifest store net registry engine compose stack cli)
set(layer_base "")
set(layer_digest base)
set(layer_manifest digest base)
set(layer_store manifest digest base)
set(layer_net base)
set(layer_registry store net manifest digest base)
set(layer_engine store net manifest digest base)
set(layer_compose engine manifest digest base)
set(layer_stack compose engine registry net store manifest digest base)
set(layer_cli stack compose engine registry net store manifest digest base)

# Folders at the top that hold C++ and may include every room; nobody may include them.
set(layer_outside tests bench examples)

# Third-party headers live in one room each, so that a library can be replaced there and nowhere else.
# A row: NAME, pattern of the path between < >, rooms ("*" is all), kinds of file (cc, or h and cc).
set(layer_third_party
    "curl|^curl/|net|cc"
    "archive|^archive(_entry)?\\.h$|store|cc"
    "zstd|^(zstd|zstd_errors|zdict)\\.h$|store|cc"
    "isal|^isa-l(\\.h$|/)|store|cc"
    "zlib|^(zlib|zconf|libdeflate|lzma|bzlib)\\.h$||"
    "openssl|^openssl/|digest,net|cc"
    "fyaml|^libfyaml\\.h$|compose|cc"
    "toml|^toml\\+\\+/|registry|cc"
    "cli11|^CLI/|cli|h,cc"
    "json declarations|^nlohmann/json_fwd\\.hpp$|*|h,cc"
    "json|^nlohmann/|*|cc"
    "boost|^boost/||"
    "benchmark|^benchmark/||"
    "fmt|^(fmt|spdlog)/|cli|h,cc")
