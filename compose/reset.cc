#include "compose/reset.h"

#include <algorithm>

namespace drover::compose {
namespace {

void remove_path(Node& node, const TreePath& path, std::size_t depth) {
  if (depth + 1 == path.size()) {
    node.remove(path[depth]);
    return;
  }
  if (Node* next = node.find(path[depth])) remove_path(*next, path, depth + 1);
}

}  // namespace

void apply_resets(Node& project, const std::vector<TreePath>& resets) { apply_resets_at(project, {}, resets); }

void apply_resets_at(Node& node, const TreePath& place, const std::vector<TreePath>& resets) {
  for (const TreePath& path : resets) {
    if (path.size() > place.size() && std::equal(place.begin(), place.end(), path.begin())) remove_path(node, path, place.size());
  }
}

}  // namespace drover::compose
