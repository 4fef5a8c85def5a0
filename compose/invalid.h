// The one way in which this room refuses a file: "compose.yml:3:7: services.web.image: must be a string, not a list".
#pragma once

#include "base/error.h"
#include "compose/node.h"
#include "compose/tree_path.h"

#include <string>
#include <string_view>

namespace drover::compose {

inline Error invalid(const Origin& origin, std::string_view why) {
  const std::string where = origin.to_string();
  return Error(ErrorCode::invalid, where.empty() ? std::string(why) : where + ": " + std::string(why));
}

inline Error invalid(const Origin& origin, const TreePath& path, std::string_view why) {
  return invalid(origin, to_string(path) + ": " + std::string(why));
}

}  // namespace drover::compose
