// `command: "nginx -g 'daemon off;'"` taken apart the way docker compose does (go-shellwords), which is not quite a shell's way.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::compose {

// Blanks part the words; ' and " keep blanks, \ takes the next character as it is. What follows an unquoted ; & | < or > is
// dropped, as docker compose does. Nothing for an open quote or a parenthesis.
std::optional<std::vector<std::string>> split_shell_words(std::string_view text);

}  // namespace drover::compose
