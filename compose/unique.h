// Lists in which a later entry replaces an earlier one with the same key: environment by name, volumes by target, ...
#pragma once

#include "compose/node.h"

namespace drover::compose {

// Of two entries with the same key the later one stays, in the place of the first. Which lists, and what the key is, is a table in
// unique.cc. Throws invalid for an entry without its key.
void keep_last_of_equal(Node& project);

}  // namespace drover::compose
