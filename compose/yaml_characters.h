// Which characters a YAML text may have (YAML 1.2.2 §5.1), checked before libfyaml sees it: 0.7.12 never returns from some texts that break this.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace drover::compose {

// Offset of the first byte that is not UTF-8 or is a control character; nothing when all is well.
std::optional<std::size_t> find_bad_character(std::string_view text);

}  // namespace drover::compose
