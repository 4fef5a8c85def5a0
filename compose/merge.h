// How a later compose file changes an earlier one (Compose spec, 13-merge): mappings merge, lists append, anything else is replaced,
// with compose's exceptions kept as a table of path patterns in merge.cc.
#pragma once

#include "compose/node.h"
#include "compose/tree_path.h"

namespace drover::compose {

// `base` as changed by `change`; `path` says where in the project both stand. A null change keeps the base. Throws invalid, with the change's
// place, when a mapping would be merged with something else.
Node merge(Node base, const Node& change, TreePath& path);

// Both at the root.
Node merge(Node base, const Node& change);

}  // namespace drover::compose
