// !reset and !override: paths that a later document takes out of what was merged before it.
#pragma once

#include "compose/node.h"
#include "compose/tree_path.h"

#include <vector>

namespace drover::compose {

// Removes every member at one of the paths. Items of lists are never removed.
void apply_resets(Node& project, const std::vector<TreePath>& resets);

// The same when `node` stands at `place` in the project.
void apply_resets_at(Node& node, const TreePath& place, const std::vector<TreePath>& resets);

}  // namespace drover::compose
