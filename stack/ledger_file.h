// The ledger as bytes (docs/formats.md, "The state folder"). Pure.
#pragma once

#include "stack/ledger.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace drover::stack {

inline constexpr std::uint64_t ledger_bytes_max = 64U << 20U;  // a host with 1,000 images, volumes and projects each has less than 1 MiB

std::string to_bytes(const Ledger& ledger);
// Throws invalid for anything that to_bytes did not write, with what is wrong with it; a newer drover's is told as such. What cannot be
// read is never taken for an empty ledger.
Ledger parse_ledger(std::string_view bytes);

}  // namespace drover::stack
