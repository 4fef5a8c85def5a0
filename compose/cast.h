// Where a string stands for a number or a boolean: `read_only: ${READ_ONLY:-true}`.
#pragma once

#include "compose/interpolate.h"
#include "compose/node.h"

namespace drover::compose {

// Turns strings at the places that docker compose casts after interpolation (a table in cast.cc) into what they stand for. Throws
// invalid, with place and path, for one that stands for nothing of the kind. Booleans of YAML 1.1 (yes, off, ...) are taken with
// a warning.
void cast_strings(Node& project, WarningList& warnings);

}  // namespace drover::compose
