// What a container printed last: for the one line that says why it failed, and more of it for a file.
#pragma once

#include "base/context.h"
#include "engine/client.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace drover::stack {

inline constexpr std::size_t last_lines_max = 5;
inline constexpr std::size_t last_line_bytes_max = 200;

inline constexpr std::size_t log_end_lines_max = 200;
inline constexpr std::size_t log_end_bytes_max = 256U << 10U;

// The end of its log, as it is, standard output and error together; empty when it printed nothing, or nothing can be read: there is a failure
// to report already.
std::string read_log_end(const Context& ctx, engine::Client& client, std::string_view container);

// `its last lines: "…", "…"` of a log's end; empty when that is. Pure. Each line made printable and cut; a line that ran on beyond what was read is told from its end.
std::string last_words_of(std::string_view output);
// Nothing of it is missing in its last words but what is not printable. Pure.
bool fits_last_words(std::string_view output);

}  // namespace drover::stack
