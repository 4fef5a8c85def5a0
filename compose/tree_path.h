// Paths into a compose tree and the patterns that rules are keyed by: "services.*.build.args".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace drover::compose {

// Keys from the root down; an item of a list is "[]" for rules and "[2]" in messages. Keys may hold dots.
using TreePath = std::vector<std::string>;

// Same length, and every part equal or "*" in the pattern. Patterns are written with dots between the parts.
bool matches(const TreePath& path, std::string_view pattern);

// "services.web.ports[2]"; "top level" for the root.
std::string to_string(const TreePath& path);

// Puts a key at the end of a path for as long as it lives.
class PathStep {
 public:
  PathStep(TreePath& path, std::string_view key) : path_(path) { path_.emplace_back(key); }
  ~PathStep() { path_.pop_back(); }
  PathStep(const PathStep&) = delete;
  PathStep& operator=(const PathStep&) = delete;

 private:
  TreePath& path_;
};

}  // namespace drover::compose
