// What docker compose refuses in a merged project besides the schema: attributes that exclude each other, addresses that are
// none.
#pragma once

#include "compose/node.h"

namespace drover::compose {

// Takes a canonical project of one load (an included one is checked on its own). Throws invalid with place and path.
void check_model(const Node& project);

}  // namespace drover::compose
