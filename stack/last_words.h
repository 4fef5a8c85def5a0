// What a container printed last, for the one line that says why it failed.
#pragma once

#include "base/context.h"
#include "engine/client.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace drover::stack {

inline constexpr std::size_t last_lines_max = 5;
inline constexpr std::size_t last_line_bytes_max = 200;

// `its last lines: "…", "…"`; empty when it printed nothing, or nothing can be read: there is a failure to report already.
std::string read_last_words(const Context& ctx, engine::Client& client, std::string_view container);

// The same of a log's end. Pure. Each line made printable and cut; a line that ran on beyond what was read is told from its end.
std::string last_words_of(std::string_view output);

}  // namespace drover::stack
